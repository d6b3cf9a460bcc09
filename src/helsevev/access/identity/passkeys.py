"""Passkeys (WebAuthn): added while signed in, used to come back quickly or when logins are down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from helsevev.kit import clock
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("identity")
_UNREADABLE: Final = (WebAuthnException, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class Passkey:
    """One of a person's passkeys, as they know it."""

    id: str
    name: str
    added_at: Any
    used_at: Any


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a browser is asked (JSON), and the challenge that its answer must hold."""

    options: str
    challenge: str


class Passkeys:
    """Adds and checks passkeys; each check asks the authenticator who is in front of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, person: str) -> list[Passkey]:
        """A person's passkeys, oldest first."""
        rows = await self._database.fetch(_SQL["passkeys"], person)
        return [
            Passkey(bytes_to_base64url(r["id"]), r["name"], r["added_at"], r["used_at"])
            for r in rows
        ]

    async def ask_new(self, origin: str, person: str, name: str) -> Ceremony:
        """Ask for a new passkey that is found without a user name."""
        known = [PublicKeyCredentialDescriptor(row["id"]) for row in await self._ids(person)]
        options = webauthn.generate_registration_options(
            rp_id=_host(origin),
            rp_name="Helsevev",
            user_name=name,
            user_id=person.encode()[:64],
            exclude_credentials=known,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        return Ceremony(options_to_json(options), bytes_to_base64url(options.challenge))

    async def add(self, origin: str, person: str, name: str, challenge: str, said: str) -> bool:
        """Keep the passkey that a browser answered with; whether it was a fit answer."""
        try:
            found = webauthn.verify_registration_response(
                credential=said,
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=_host(origin),
                expected_origin=origin,
                require_user_verification=True,
            )
        except _UNREADABLE:
            return False
        await self._database.execute(
            _SQL["add_passkey"], found.credential_id, person, found.credential_public_key,
            found.sign_count, name[:60], clock.now(),
        )  # fmt: skip
        return True

    async def ask(self, origin: str, person: str = "") -> Ceremony:
        """Ask for one of a person's passkeys, or for any that the device offers."""
        known = [PublicKeyCredentialDescriptor(row["id"]) for row in await self._ids(person)]
        options = webauthn.generate_authentication_options(
            rp_id=_host(origin),
            allow_credentials=known,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return Ceremony(options_to_json(options), bytes_to_base64url(options.challenge))

    async def person(self, origin: str, challenge: str, said: str) -> str | None:
        """Whose passkey a browser answered with; None when the answer does not hold."""
        try:
            passkey_id = base64url_to_bytes(msgspec.json.decode(said)["rawId"])
        except (*_UNREADABLE, msgspec.MsgspecError):
            return None
        row = await self._database.fetchrow(_SQL["passkey"], passkey_id)
        if row is None:
            return None
        try:
            used = webauthn.verify_authentication_response(
                credential=said,
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=_host(origin),
                expected_origin=origin,
                credential_public_key=row["public_key"],
                credential_current_sign_count=row["sign_count"],
                require_user_verification=True,
            )
        except _UNREADABLE:
            return None
        now = clock.now()
        await self._database.execute(_SQL["used_passkey"], passkey_id, used.new_sign_count, now)
        return str(row["person"])

    async def remove(self, person: str, passkey: str) -> None:
        """Take one of a person's passkeys away."""
        try:
            found = base64url_to_bytes(passkey)
        except ValueError:
            return
        await self._database.execute(_SQL["remove_passkey"], found, person)

    async def _ids(self, person: str) -> list[Any]:
        return await self._database.fetch(_SQL["passkeys"], person) if person else []


def _host(origin: str) -> str:
    return urlsplit(origin).hostname or ""
