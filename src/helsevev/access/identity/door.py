"""The door: begins and ends sessions, whichever way somebody proved who they are, and audits it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from litestar import Request, Response
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from helsevev.access.actor import Actor
from helsevev.access.audit import refused_login
from helsevev.access.gate import author_of
from helsevev.access.identity.alarms import Alarms
from helsevev.access.identity.attempts import Attempts
from helsevev.access.identity.cookies import ATTEMPT, SESSION, Cookies, new_device
from helsevev.access.identity.devices import Devices
from helsevev.access.identity.matching import Matcher
from helsevev.access.identity.one_time_codes import OneTimeCodes
from helsevev.access.identity.passkeys import Passkeys
from helsevev.access.identity.profile import Who, clients_of
from helsevev.access.identity.refusals import LoginRefused
from helsevev.access.identity.relying_party import RelyingParty
from helsevev.access.services import Services
from helsevev.access.session import SHIFT, Session, SignIn
from helsevev.kit import clock
from helsevev.kit.secret import secret
from helsevev.kit.settings import Settings
from helsevev.record import keys
from helsevev.record.audit import audit_row

_Request = Request[Any, Any, Any]
EMERGENCY_LASTS: Final = timedelta(hours=4)
"""How long an emergency login lasts: an outage is looked at anew before a shift is over."""

_REMEMBERED: Final = frozenset({"demo", "national", "emergency"})
_LOOPBACK: Final = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}


@dataclass(frozen=True, slots=True)
class Door:
    """All that signing in needs, over one record."""

    services: Services
    cookies: Cookies
    attempts: Attempts
    devices: Devices
    passkeys: Passkeys
    codes: OneTimeCodes
    alarms: Alarms
    matcher: Matcher
    parties: dict[Who, RelyingParty]
    origins: tuple[str, ...]
    http: httpx.AsyncClient

    async def close(self) -> None:
        """Close the connections to providers."""
        await self.http.aclose()

    def origin(self, request: _Request) -> str:
        """The origin the browser is at, when it is one of ours; else the first of ours."""
        here = f"{urlsplit(self.origins[0]).scheme}://{request.headers.get('host', '')}"
        return here if here in self.origins else self.origins[0]

    async def is_staff_login_down(self) -> bool:
        """Whether the national login of staff is set up, and does not answer."""
        party = self.parties.get("staff")
        return party is not None and not await party.is_up()

    async def admit(
        self, request: _Request, actors: Sequence[Actor], sign_in: SignIn, page: str = "/"
    ) -> Response[Any]:
        """Sign in whoever has one role; let one with several choose."""
        if len(actors) == 1:
            return await self.start(request, actors[0], sign_in, page)
        data = {"actors": [a.as_data() for a in actors], "sign_in": sign_in, "page": page}
        answer = Redirect("/sign-in/role", status_code=HTTP_303_SEE_OTHER)
        token = await self.attempts.begin("role", data)
        self.cookies.set(answer, ATTEMPT, token, timedelta(minutes=10))
        return answer

    async def start(
        self, request: _Request, actor: Actor, sign_in: SignIn, page: str = "/"
    ) -> Response[Any]:
        """A new session in place of any that this browser had; remembers it on the device."""
        device = self.cookies.device(request) or new_device()
        lasts = EMERGENCY_LASTS if sign_in.method == "emergency" else SHIFT
        ends_at = sign_in.ends_at or clock.now() + lasts
        sign_in = replace(sign_in, device=device, ends_at=ends_at)
        if sign_in.method in _REMEMBERED and actor.kind == "practitioner":
            await self.devices.remember(device, actor, sign_in)
        interaction = "emergency-login" if sign_in.method == "emergency" else "login"
        await self.audit(actor, interaction, sign_in.method)
        answer = await self._begun(request, actor, sign_in, page)
        self.cookies.set_device(answer, device)
        return answer

    async def switch(self, request: _Request, session: Session, actor: Actor) -> Response[Any]:
        """Go on as the same person in another role: a new session, and the old role's is over."""
        await self.devices.leave(session.sign_in.device, actor, "")
        await self.audit(actor, "switch-role", f"from {session.actor.practitioner_role}")
        return await self._begun(request, actor, session.sign_in, "/")

    async def _begun(
        self, request: _Request, actor: Actor, sign_in: SignIn, page: str
    ) -> Response[Any]:
        old = self.cookies.session(request)
        token = await self.services.credentials.start_session(actor, sign_in)
        if old:
            await self.services.credentials.end_session(old)
        answer = Redirect(landing(actor, page), status_code=HTTP_303_SEE_OTHER)
        assert sign_in.ends_at is not None
        self.cookies.set(answer, SESSION, token, sign_in.ends_at - clock.now())
        self.cookies.clear(answer, ATTEMPT)
        return answer

    async def lock(self, token: str, session: Session, page: str) -> None:
        """Lock a session, and remember for this person where they were."""
        await self.services.credentials.lock(token)
        await self.devices.leave(session.sign_in.device, session.actor, page)

    async def end(self, token: str, session: Session, *, everywhere: bool) -> None:
        """Sign out: here, so that only a full login leads back on this device, or everywhere."""
        person, device = session.actor.id, None if everywhere else session.sign_in.device
        await self.services.credentials.end_session(token)
        if everywhere:
            await self.services.credentials.end_sessions_of(person)
        await self.devices.forget(person, device)
        await self.audit(session.actor, "logout", "everywhere" if everywhere else "")

    async def end_provider_session(self, provider_session: str) -> None:
        """The provider has ended its session: what rests on it ends too."""
        people = await self.services.credentials.end_sessions_of_provider(provider_session)
        await self.devices.forget_provider_session(provider_session)
        for person in dict.fromkeys(people):
            await self.audit(somebody(person), "logout", "ended by the national login")

    async def refuse(self, refused: LoginRefused) -> None:
        """Audit that nobody was signed in, and why."""
        told = refused.reason.replace("%s", refused.about)
        person = somebody(refused.person) if refused.person else refused_login.STRANGER
        await refused_login.note(self.services.gate, f"{told} ({refused.detail})", person)

    async def audit(
        self, actor: Actor, interaction: str, reason: str = "", *, outcome: int = 0
    ) -> None:
        """A row in the trail about signing in: about nobody's record."""
        author = author_of(actor, interaction, "", reason)
        row = audit_row(
            keys.UNASSIGNED, 0, clock.now(), author, actor.id, action="login", outcome=outcome
        )
        await self.services.gate.trail.keep(row)


def door_over(settings: Settings, services: Services) -> Door:
    """The door of one record. Raises `BadSetting` for a client key that cannot be used."""
    database = services.gate.store.database
    address = settings.address or f"http://{settings.host}:{settings.port}"
    http = httpx.AsyncClient(trust_env=False, follow_redirects=False)
    return Door(
        services=services,
        cookies=Cookies(secret(settings.data, "device"), secure=address.startswith("https://")),
        attempts=Attempts(database),
        devices=Devices(database, settings.data),
        passkeys=Passkeys(database),
        codes=OneTimeCodes(database, settings.data),
        alarms=Alarms(database),
        matcher=Matcher(services.gate, services.searcher),
        parties={who: RelyingParty(each, http) for who, each in clients_of(settings).items()},
        origins=origins_of(address),
        http=http,
    )


def origins_of(address: str) -> tuple[str, ...]:
    """The origins that the record is reached at: its address, and on one machine its other name.

    Passkeys need a name: browsers give none to 127.0.0.1.
    """
    parts = urlsplit(address)
    other = _LOOPBACK.get(parts.hostname or "")
    port = f":{parts.port}" if parts.port else ""
    here = f"{parts.scheme}://{parts.netloc}"
    return (here, f"{parts.scheme}://{other}{port}") if other else (here,)


def roles_told(actors: Sequence[Actor]) -> tuple[dict[str, str], ...]:
    """What the choice of role shows of each: an id to choose by, unit, role and organisation."""
    return tuple(
        {
            "id": (actor.practitioner_role or "").removeprefix("PractitionerRole/"),
            "name": actor.unit_name or actor.organisation_name,
            "role": actor.role,
            "organisation": actor.organisation_name,
        }
        for actor in actors
    )


def landing(actor: Actor, page: str) -> str:
    """Where somebody goes after signing in: an inhabitant to their own record."""
    if actor.kind == "inhabitant" and actor.patient:
        return f"/patient/{actor.patient.removeprefix('Patient/')}"
    return local(page)


def local(page: str) -> str:
    """The page, when it is one of ours: a link must not lead a signed-in person elsewhere."""
    # Browsers read a backslash as a slash, and leave out tabs and line ends wherever they stand.
    ours = page.startswith("/") and page.isprintable() and "\\" not in page
    is_page = ours and not page.startswith(("//", "/locked", "/sign-in"))
    return page if is_page and not urlsplit(page).netloc else "/"


def door_of(request: _Request) -> Door:
    """The door of the running application."""
    door: Door = request.app.state.door
    return door


def somebody(person: str) -> Actor:
    """Whom a refusal is about, when no more is known of them than their id."""
    kind = person.partition("/")[0]
    if kind == "Patient":
        return Actor("inhabitant", person, "", "inhabitant", "", patient=person)
    return Actor("practitioner", person, "", "", "")
