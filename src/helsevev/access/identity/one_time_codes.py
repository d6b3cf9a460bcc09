"""One-time codes by the clock (TOTP, RFC 6238): each works once, wrong ones are limited."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

import pyotp
import segno
from cryptography.fernet import Fernet

from helsevev.kit import clock
from helsevev.kit.secret import secret
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("identity")
_STEP: Final = 30
MOST_WRONG: Final = 5
"""Wrong codes in a row after which none is looked at for ten minutes."""

_REST: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A secret to be put into an authenticator app: to type, and as a drawing to scan (SVG)."""

    secret: str
    drawing: str


class OneTimeCodes:
    """Keeps each person's secret, encrypted with a key of the data folder."""

    def __init__(self, database: Database, data: Path) -> None:
        self._database = database
        key = sha256(secret(data, "one-time-codes").encode()).digest()
        self._box = Fernet(base64.urlsafe_b64encode(key))

    async def is_ready(self, person: str) -> bool:
        """Whether the person has a secret that a code has confirmed."""
        row = await self._database.fetchrow(_SQL["codes"], person)
        return row is not None and row["confirmed_at"] is not None

    async def enrol(self, person: str, name: str) -> Enrolment:
        """A new secret for the person, of use once a code has confirmed it."""
        made = pyotp.random_base32()
        kept = self._box.encrypt(made.encode())
        await self._database.execute(_SQL["set_codes"], person, kept)
        uri = pyotp.TOTP(made).provisioning_uri(name=name, issuer_name="Helsevev")
        drawn = io.BytesIO()
        segno.make(uri, micro=False).save(
            drawn, kind="svg", scale=4, border=3, dark="#000", light="#fff", xmldecl=False,
            svgns=True, nl=False, omitsize=False,
        )  # fmt: skip
        return Enrolment(made, base64.b64encode(drawn.getvalue()).decode())

    async def fits(self, person: str, code: str, *, confirming: bool = False) -> bool:
        """Whether the code is right, now, for the first time. Takes it.

        Unconfirmed secrets only count when `confirming`. After five wrong ones, ten minutes' rest.
        """
        is_right, _ = await self.tried(person, code, confirming=confirming)
        return is_right

    async def tried(
        self, person: str, code: str, *, confirming: bool = False
    ) -> tuple[bool, int | None]:
        """Like `fits`, and how many tries are left; None when the code was not looked at."""
        row = await self._database.fetchrow(_SQL["codes"], person)
        if row is None or (row["confirmed_at"] is None and not confirming):
            return False, None
        now = clock.now()
        counted = await self._database.fetchval(
            _SQL["count_wrong_code"], person, now, MOST_WRONG, now - _REST
        )
        if counted is None:
            return False, None
        code = code.replace(" ", "")
        totp = pyotp.TOTP(self._box.decrypt(row["secret"]).decode())
        here = int(now.timestamp()) // _STEP
        # One step to either side: clocks differ, and typing takes time.
        for step in (here, here - 1, here + 1):
            if code.isascii() and pyotp.utils.strings_equal(code, totp.generate_otp(step)):
                taken = await self._database.fetchval(_SQL["take_step"], person, step, now)
                if taken is not None:
                    return True, MOST_WRONG
        return False, MOST_WRONG - counted

    async def remove(self, person: str) -> None:
        """No codes any longer."""
        await self._database.execute(_SQL["remove_codes"], person)
