"""Speaks to SFM Basis API over HTTP: one address, a token from a file, limits of time and size."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from helsevev.fhir import serialization
from helsevev.kit.settings import Settings
from helsevev.medication.national_list.port import (
    Failure,
    NationalService,
    Receipt,
    ServiceFailed,
    problems_of,
    receipt_of,
)

_TYPE: Final = "application/fhir+json"
_CONNECT: Final = 5.0
_MOST: Final = 16 * 1024 * 1024
"""The longest answer that is read, in bytes; the longest sample has 0.15 MB."""


class HttpService:
    """`NationalService` over HTTP; no redirect is followed, and no proxy of the shell is used."""

    def __init__(self, address: str, token_file: Path | None, seconds: float) -> None:
        self._address = address.rstrip("/")
        self._token_file = token_file
        self._seconds = seconds

    @property
    def is_set_up(self) -> bool:
        """Whether there is an address to ask."""
        return bool(self._address)

    async def get_medication(self, patient: Mapping[str, Any]) -> bytes:
        """See `NationalService`. A failure here leaves nothing behind: it may be asked again."""
        asked = {
            "resourceType": "Parameters",
            "parameter": [{"name": "patient", "resource": patient}],
        }
        body, answer = await self._post("$getMedication", asked)
        if answer.get("resourceType") != "Parameters":
            raise ServiceFailed("unknown", problems_of(answer))
        return body

    async def send_medication(self, parameters: Mapping[str, Any]) -> Receipt:
        """See `NationalService`."""
        _body, answer = await self._post("$sendMedication", parameters)
        return receipt_of(answer)

    async def _post(self, name: str, asked: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
        if not self._address:
            raise ServiceFailed("not-set-up")
        headers = {"content-type": _TYPE, "accept": _TYPE, **await self._authority()}
        try:
            async with asyncio.timeout(self._seconds):
                status, body = await self._ask(name, serialization.encode(asked), headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL) as problem:
            raise ServiceFailed("unreachable") from problem
        except (TimeoutError, httpx.HTTPError, OSError, ValueError) as problem:
            raise ServiceFailed("unknown") from problem
        return body, _answer(status, body)

    async def _ask(self, name: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        limits = httpx.Timeout(self._seconds, connect=min(_CONNECT, self._seconds))
        async with (
            httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=limits) as client,
            client.stream(
                "POST", f"{self._address}/patient/{name}", content=body, headers=headers
            ) as answer,
        ):
            found = bytearray()
            async for piece in answer.aiter_bytes():
                found += piece
                if len(found) > _MOST:
                    raise ServiceFailed("unknown")
            return answer.status_code, bytes(found)

    async def _authority(self) -> dict[str, str]:
        """The token as it is now: another program renews the file."""
        if self._token_file is None:
            return {}
        try:
            token = (await asyncio.to_thread(self._token_file.read_text, "utf-8")).strip()
        except (OSError, ValueError) as problem:
            raise ServiceFailed("not-set-up") from problem
        return {"authorization": f"Bearer {token}"}


def _answer(status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = serialization.decode(body)
    except ValueError:
        answer = {}
    if 200 <= status < 300:
        if not answer:
            # Half an answer: what it was the answer to may have been done.
            raise ServiceFailed("unknown")
        return answer
    raise ServiceFailed(_failure(status), problems_of(answer) or [f"HTTP {status}"])


def _failure(status: int) -> Failure:
    """Whether it surely did nothing: an error of its own (5xx) may come after the deed."""
    if status in (409, 412):
        return "conflict"
    return "refused" if 400 <= status < 500 and status != 408 else "unknown"


def service_of(settings: Settings) -> NationalService:
    """The service that the settings name; one that is not set up says so."""
    return HttpService(
        settings.medication_service, settings.medication_service_token, settings.medication_seconds
    )
