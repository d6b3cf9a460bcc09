"""Every interaction of any FHIR R4 server over HTTP: `python -m bench.interactions URL [TOKEN]`.

Stores people and measurements of its own by transactions, then asks for them at 1, 8 and 32
clients, and prints JSON. The URL is the base, such as http://127.0.0.1:8000/fhir. Knows nothing
about who answers, so that servers can be compared; TLS is left to whoever needs it.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from bench import load
from bench.input import person_bundle

CLIENTS = (1, 8, 32)
PEOPLE = 40
MEASUREMENTS = 100
SECONDS = 1.5
_ETAG_OF_FIRST = 'W/"1"'


class Server:
    """A FHIR server by its base URL; `token` is sent as bearer token when it is not empty."""

    def __init__(self, base: str, token: str = "") -> None:
        address = urlsplit(base)
        if address.scheme != "http" or address.hostname is None:
            raise SystemExit("The base is http://host:port/path.")
        self.host, self.port = address.hostname, address.port or 80
        self._path = address.path.rstrip("/")
        self._head = {
            "Host": f"{self.host}:{self.port}",
            "Accept": "application/fhir+json",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        }

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> bytes:
        """The bytes of one request."""
        content = b"" if body is None else json.dumps(body).encode()
        told = {**self._head, "Content-Length": str(len(content)), **headers}
        if content:
            told.setdefault("Content-Type", "application/fhir+json")
        lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        return f"{method} {self._path}{path} HTTP/1.1\r\n{lines}\r\n".encode() + content

    def status(self, request: bytes) -> int:
        """The status of the answer to one request."""
        with socket.create_connection((self.host, self.port)) as connection:
            connection.sendall(request)
            return int(connection.makefile("rb").readline().split()[1])

    def post(self, body: Any) -> Any:
        """The answer to a Bundle. Raises RuntimeError when it is refused."""
        connection = http.client.HTTPConnection(self.host, self.port)
        head = {**self._head, "Content-Type": "application/fhir+json"}
        connection.request("POST", self._path or "/", json.dumps(body), head)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {content[:500].decode()}")
        return json.loads(content)


def measured(base: str, token: str = "") -> dict[str, Any]:
    """Rates and percentiles of each interaction at each number of clients."""
    server = Server(base, token)
    chance = random.Random(11)
    bundles = [person_bundle(n, chance, MEASUREMENTS) for n in range(PEOPLE)]
    begun = time.perf_counter()
    stored = [_places(server.post(bundle)) for bundle in bundles]
    seconds = time.perf_counter() - begun
    found: dict[str, Any] = {
        "transaction": {
            "entries": MEASUREMENTS + 1,
            "resources_per_second": round(PEOPLE * (MEASUREMENTS + 1) / seconds, 1),
        }
    }
    for name, asked, expected in _asked(server, bundles, stored):
        found[name] = {}
        status = server.status(next(iter(asked[0])))
        if status != expected:
            found[name] = {"not_offered": status}
            continue
        for clients, requests in zip(CLIENTS, asked, strict=True):
            found[name][str(clients)] = load.summary(
                *load.measured(
                    server.host, server.port, list(requests), clients, SECONDS, expected,
                    once=name == "update",
                )
            )  # fmt: skip
    return found


def _places(answer: Any) -> list[str]:
    """`[type]/[id]` of what a transaction stored, in its order."""
    places = [entry["response"]["location"] for entry in answer["entry"]]
    return ["/".join(place.split("/_history")[0].split("/")[-2:]) for place in places]


Asked = tuple[str, list[Iterable[bytes]], int]
"""An interaction's name, its requests for each number of clients, and the expected status."""


def _asked(server: Server, bundles: list[Any], stored: list[list[str]]) -> Iterator[Asked]:
    people = [places[0] for places in stored]
    measurements = [place for places in stored for place in places[1:]]
    resources = {
        place: {**entry["resource"], "subject": {"reference": places[0]}}
        for bundle, places in zip(bundles, stored, strict=True)
        for entry, place in zip(bundle["entry"][1:], places[1:], strict=True)
    }
    first = {"If-Match": _ETAG_OF_FIRST}

    def same(paths: Iterable[str]) -> list[Iterable[bytes]]:
        return [[server.request("GET", f"/{path}") for path in paths]] * len(CLIENTS)

    yield "read", same(measurements), 200
    yield "vread", same(f"{place}/_history/1" for place in measurements), 200
    yield "history_instance", same(f"{place}/_history" for place in measurements), 200
    yield "search_patient_name", same(f"Patient?family=Familie{n}" for n in range(PEOPLE)), 200
    yield "search_patient_id", same(f"Patient?_id={place.split('/')[1]}" for place in people), 200
    codes = [f"&code=http://loinc.org%7C{code}" for code in ("8867-4", "8310-5")]
    yield "search_of_patient", same(
        f"Observation?subject={place}{code}&_sort=-date&_count=50"
        for place in people for code in codes
    ), 200  # fmt: skip
    yield "search_across", same(f"Observation?_count=20{code}" for code in codes), 200
    yield "everything", same(f"{place}/$everything" for place in people), 200
    create = [server.request("POST", "/Observation", body) for body in resources.values()]
    yield "create", [create] * len(CLIENTS), 201
    # A version is updated once: each number of clients has resources of its own.
    shares = [measurements[part :: len(CLIENTS)] for part in range(len(CLIENTS))]
    yield (
        "update",
        [
            [
                server.request(
                    "PUT", f"/{place}", {**resources[place], "id": place.split("/")[1]}, **first
                )
                for place in share
            ]
            for share in shares
        ],
        200,
    )


if __name__ == "__main__":
    json.dump(measured(*sys.argv[1:3]), sys.stdout, indent=2)
    sys.stdout.write("\n")
