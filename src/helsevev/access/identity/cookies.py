"""The cookies of signing in: the session, the device, and a sign-in under way."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from litestar import Response
from litestar.connection import ASGIConnection

SESSION: Final = "helsevev_session"
DEVICE: Final = "helsevev_device"
ATTEMPT: Final = "helsevev_sign_in"
_DEVICE_LASTS: Final = timedelta(days=400)

_Connection = ASGIConnection[Any, Any, Any, Any]


class Cookies:
    """Reads and sets them: HttpOnly, SameSite=Lax and, where the address is https, `__Host-`.

    The prefix sees that no other host of the domain, and no page without https, can set one. Lax
    and not Strict, since people come back from a provider, and by links from other systems.
    """

    def __init__(self, key: str, *, secure: bool) -> None:
        self._key = key.encode()
        self._secure = secure

    def name(self, cookie: str) -> str:
        """What the cookie is called here."""
        return f"__Host-{cookie}" if self._secure else cookie

    def session(self, connection: _Connection) -> str | None:
        """The session's token, if the browser sent one."""
        return connection.cookies.get(self.name(SESSION))

    def attempt(self, connection: _Connection) -> str | None:
        """The token of the sign-in under way."""
        return connection.cookies.get(self.name(ATTEMPT))

    def device(self, connection: _Connection) -> str | None:
        """Which device this is; None when we have not signed what it says."""
        value = connection.cookies.get(self.name(DEVICE), "")
        device, _, signature = value.partition(".")
        return device if device and hmac.compare_digest(signature, self._signed(device)) else None

    def set(self, answer: Response[Any], cookie: str, value: str, lasts: timedelta) -> None:
        """Let the browser keep a cookie."""
        answer.set_cookie(
            key=self.name(cookie), value=value, max_age=int(lasts.total_seconds()),
            httponly=True, secure=self._secure, samesite="lax", path="/",
        )  # fmt: skip

    def set_device(self, answer: Response[Any], device: str) -> None:
        """Let the browser keep which device it is."""
        self.set(answer, DEVICE, f"{device}.{self._signed(device)}", _DEVICE_LASTS)

    def clear(self, answer: Response[Any], cookie: str) -> None:
        """Let the browser forget a cookie."""
        self.set(answer, cookie, "", timedelta())

    def _signed(self, device: str) -> str:
        return hmac.new(self._key, device.encode(), sha256).hexdigest()


def new_device() -> str:
    """A random name for a device that is new here."""
    return secrets.token_hex(16)
