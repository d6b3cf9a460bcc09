"""A FHIR server by its base URL, as the benchmark asks it: requests as bytes, answers as data."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_FHIR_JSON = "application/fhir+json"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server keeps a resource: `[type]/[id]`, and the ETag of its first version."""

    path: str
    etag: str

    @property
    def id(self) -> str:
        """The resource's id."""
        return self.path.partition("/")[2]


class Server:
    """Asks the server at `base`; `token` is sent as bearer token when it is not empty."""

    def __init__(self, base: str, token: str = "") -> None:
        address = urlsplit(base)
        if address.scheme != "http" or address.hostname is None:
            raise SystemExit("The base is http://host:port/path.")
        self.host, self.port = address.hostname, address.port or 80
        self._path = address.path.rstrip("/")
        self._head = {
            "Host": f"{self.host}:{self.port}",
            "Accept": _FHIR_JSON,
            **({"Authorization": f"Bearer {token}"} if token else {}),
        }

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> bytes:
        """The bytes of one request; `body` is text (a form) or data that becomes JSON."""
        content = b"" if body is None else _encoded(body)
        told = {**self._head, "Content-Length": str(len(content)), **(headers or {})}
        if content:
            told.setdefault("Content-Type", _FHIR_JSON)
        target = f"{self._path}{path}" or "/"
        lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + content

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (names in lower case) and content of one answer.

        `path` may be a whole URL of this server, as manifests and Content-Location give it.
        """
        target = urlsplit(path)
        asked = f"{target.path}?{target.query}" if target.scheme else f"{self._path}{path}"
        head = {**self._head, **({"Content-Type": _FHIR_JSON} if body else {}), **(headers or {})}
        connection = http.client.HTTPConnection(self.host, self.port, timeout=600)
        try:
            content = None if body is None else _encoded(body)
            connection.request(method, asked.rstrip("?") or "/", content, head)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, told, answer.read()
        finally:
            connection.close()

    def store(self, bundle: Any) -> list[Place]:
        """Where a transaction's resources went. Raises RuntimeError when it is refused."""
        status, _, content = self.ask("POST", "", bundle)
        if status != 200:
            raise RuntimeError(f"{status}: {content[:500].decode()}")
        return [_place(entry["response"]) for entry in json.loads(content)["entry"]]

    def export(self, query: str) -> dict[str, Any]:
        """How fast a system's bulk export comes, from kick-off to the last byte of its files.

        `not_offered` with the status when the server does not take it on.
        """
        begun = time.perf_counter()
        status, told, content = self.ask(
            "GET", f"/$export?{query}", None, {"Prefer": "respond-async"}
        )
        if status != 202:
            return {"not_offered": status}
        while status == 202:
            time.sleep(0.05)
            status, _, content = self.ask(
                "GET", told["content-location"], None, {"Accept": "application/json"}
            )
        if status != 200:
            raise RuntimeError(f"{status}: {content[:500].decode()}")
        ready = time.perf_counter() - begun
        files = [each["url"] for each in json.loads(content)["output"]]
        size, lines = self._fetched(files)
        seconds = time.perf_counter() - begun
        self.ask("DELETE", told["content-location"])
        return {
            "resources": lines,
            "seconds_until_ready": round(ready, 2),
            "resources_per_second": round(lines / seconds, 1),
            "megabytes_per_second": round(size / seconds / 1e6, 2),
        }

    def _fetched(self, urls: Sequence[str]) -> tuple[int, int]:
        size = lines = 0
        for url in urls:
            _, _, content = self.ask("GET", url, None, {"Accept": "application/fhir+ndjson"})
            size, lines = size + len(content), lines + content.count(b"\n")
        return size, lines


def _encoded(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def _place(response: dict[str, str]) -> Place:
    path = "/".join(response["location"].split("/_history")[0].split("/")[-2:])
    return Place(path, response.get("etag", 'W/"1"'))
