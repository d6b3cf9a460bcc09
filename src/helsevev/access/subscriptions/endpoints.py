"""Where notifications may be sent: only to addresses that whoever runs the server has named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The allowed beginnings of URLs; `loopback` allows this machine besides, as in a demo."""

    allowed: tuple[str, ...] = ()
    loopback: bool = False

    def refusal(self, url: str) -> str | None:
        """Why nothing is sent to this URL, None when it is allowed. The URL is not repeated."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return "The endpoint is no URL."
        host = parts.hostname or ""
        if not url.isascii() or any(c in url for c in "\\ \t\r\n#") or not host:
            return "The endpoint is no URL."
        if parts.username is not None or parts.password is not None:
            return "An endpoint names no user; send a header instead."
        if parts.scheme not in _PORTS or port == 0:
            return "An endpoint is an https address."
        if parts.scheme == "http" and host not in _LOOPBACK:
            return "An endpoint is an https address."
        if self.loopback and host in _LOOPBACK:
            return None
        if any(_begins(urlsplit(allowed), parts) for allowed in self.allowed):
            return None
        return "The endpoint is not among those that this server may send to."


def _begins(allowed: SplitResult, asked: SplitResult) -> bool:
    same = (allowed.scheme, allowed.hostname) == (asked.scheme, asked.hostname)
    if not same or _port(allowed) != _port(asked):
        return False
    path = asked.path or "/"
    if ".." in path or "%" in path:
        return False
    base = allowed.path.rstrip("/")
    return path == base or path.startswith(f"{base}/")


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme)
