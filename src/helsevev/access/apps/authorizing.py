"""The authorization endpoint's work: what an app asks for, for whom, and the code it is given.

RFC 6749 section 4.1, RFC 7636, RFC 9207 (iss against mix-up), RFC 9700, and
https://hl7.org/fhir/smart-app-launch/app-launch.html#obtain-authorization-code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from helsevev.access import scopes
from helsevev.access.actor import Actor
from helsevev.access.apps.clients import Clients, trace
from helsevev.access.apps.refusals import NotLetIn
from helsevev.access.apps.registration import Client
from helsevev.access.apps.tokens import CODE_LASTS, LAUNCH_LASTS, Context, Ticket, Tokens
from helsevev.access.gate import Gate
from helsevev.access.session import SHIFT
from helsevev.kit import clock

STAFF_LASTS: Final = timedelta(days=30)
"""How long an app may go on for staff who are not signed in (offline_access)."""

CONSENT_LASTS: Final = {"session": SHIFT, "month": timedelta(days=30), "year": timedelta(days=365)}
"""For how long an inhabitant may let an app go on."""

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9\-_]{43}")
_LONGEST_STATE: Final = 1024
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_NAMES: Final = (
    "response_type", "client_id", "redirect_uri", "scope", "state", "aud", "launch",
    "code_challenge", "code_challenge_method", "nonce", "response_mode", "prompt",
)  # fmt: skip


class Asked(msgspec.Struct, frozen=True):
    """A request of an app that is registered, to be sent back to an address of its own.

    `allowed` are the scopes that it asks for and may have at most; `pairs` the request as it came.
    """

    client: Client
    redirect_uri: str
    state: str
    challenge: str
    allowed: tuple[str, ...]
    launch: str
    nonce: str
    pairs: tuple[tuple[str, str], ...]

    @property
    def of_patient(self) -> bool:
        """Whether it asks for something of one inhabitant."""
        return any(text.startswith("patient/") for text in self.allowed)


class SentBack(Exception):
    """The app is told why not, at its own address."""

    def __init__(self, address: str) -> None:
        super().__init__("The app is told why not.")
        self.address = address


class Authorizing:
    """Decides what apps get, and hands out codes."""

    def __init__(self, gate: Gate, clients: Clients, tokens: Tokens, address: str) -> None:
        self._gate = gate
        self._clients = clients
        self._tokens = tokens
        self._address = address

    async def read(self, pairs: Sequence[tuple[str, str]]) -> Asked:
        """What is asked for.

        Raises `NotLetIn` when nobody may be sent anywhere: the app is unknown, or the address is
        not one of its own; and `SentBack` for everything else that is wrong.
        """
        given = [(name, value) for name, value in pairs if name in _NAMES]
        asked = dict(given)
        client = await self._clients.active(asked.get("client_id", ""))
        if client is None or client.kind == "backend":
            raise NotLetIn("invalid_request", "No such app is registered here.")
        redirect_uri = asked.get("redirect_uri", "")
        # Compared as it stands (RFC 9700 section 2.1): no beginning, no pattern, no default.
        if redirect_uri not in client.registration.redirect_uris or len(asked) != len(given):
            raise NotLetIn("invalid_request", "The app may not be sent to that address.")
        state = asked.get("state", "")
        problem = _problem(asked, f"{self._address}/fhir")
        if problem is not None:
            raise SentBack(self.told(redirect_uri, state, problem))
        wanted = [s for s in scopes.split(asked["scope"]) if not s.startswith("system/")]
        allowed = scopes.granted(wanted, client.registration.scopes)
        if not allowed:
            refusal = NotLetIn("invalid_scope", "None of these scopes can be granted.")
            raise SentBack(self.told(redirect_uri, state, refusal))
        return Asked(
            client, redirect_uri, state, asked["code_challenge"], allowed,
            asked.get("launch", ""), asked.get("nonce", "")[:_LONGEST_STATE], tuple(given),
        )  # fmt: skip

    def told(self, redirect_uri: str, state: str, refusal: NotLetIn) -> str:
        """The address that tells the app why not."""
        return _with(redirect_uri, {**refusal.as_data(), "state": state, "iss": self._address})

    def refused(self, asked: Asked, error: str, description: str) -> SentBack:
        """The same for a request that was read."""
        return SentBack(self.told(asked.redirect_uri, asked.state, NotLetIn(error, description)))

    async def start_launch(
        self, actor: Actor, session: bytes, client_id: str, patient_id: str, encounter_id: str = ""
    ) -> str:
        """The address at which an app is opened for the inhabitant of a chart, once, soon.

        Raises `Refused` (audited) without a right to the chart, `NotLetIn` for an app that is not
        opened from charts.
        """
        client = await self._clients.active(client_id)
        if client is None or not client.registration.launch_url or not _may_use(actor, client):
            raise NotLetIn("invalid_request", "This app is not opened from a chart.")
        await self._gate.open_chart(actor, patient_id, interaction="app-launch")
        launch = await self._tokens.issue_ticket(
            "launch", client.id, {"patient": patient_id, "encounter": encounter_id},
            clock.now() + LAUNCH_LASTS, session=session,
        )  # fmt: skip
        opened = {"iss": f"{self._address}/fhir", "launch": launch}
        return _with(client.registration.launch_url, opened)

    async def launched(self, asked: Asked, actor: Actor, session: bytes) -> dict[str, str] | None:
        """What the launch that the app hands in was opened with; None when it hands in none.

        Raises `SentBack` for a launch of another app or session, one used before, or too old.
        """
        if not _may_use(actor, asked.client):
            raise self.refused(asked, "access_denied", "The app is not for this user.")
        if not asked.launch:
            return None
        ticket = await self._tokens.look_at_ticket("launch", asked.launch)
        if not _fits(ticket, asked, session):
            await self._trace_refusal(actor, asked, "A launch that does not fit.")
            raise self.refused(asked, "invalid_request", "There is no such launch.")
        assert ticket is not None
        return {name: str(value) for name, value in ticket.content.items()}

    async def grant(
        self,
        asked: Asked,
        actor: Actor,
        session: bytes,
        *,
        chosen: Sequence[str],
        patient_id: str = "",
        lasts: str = "session",
    ) -> str:
        """The address that hands the app its code, for what was `chosen` of what it may have.

        Raises `SentBack`, or `Refused` (audited) without a right to that inhabitant.
        """
        context = await self.launched(asked, actor, session)
        if context is not None:
            used = await self._tokens.use_ticket("launch", asked.launch)
            if used is None or used.used_before:
                raise self.refused(asked, "invalid_request", "The launch was used before.")
            patient_id = context["patient"]
        granted = scopes.granted(chosen, asked.allowed)
        granted = tuple(s for s in granted if patient_id or not s.startswith("patient/"))
        if scopes.PLAIN.issuperset(granted) and "openid" not in granted:
            await self._trace_refusal(actor, asked, "Nothing was granted.")
            raise self.refused(asked, "access_denied", "Nothing was granted.")
        if patient_id:
            if not _ID.fullmatch(patient_id):
                raise self.refused(asked, "invalid_request", "There is no such patient.")
            await self._gate.open_chart(
                replace(actor, client=asked.client.id), patient_id, interaction="app-authorize"
            )
        else:
            acting = replace(actor, client=asked.client.id)
            await trace(self._gate, acting, "app-authorize", f"app {asked.client.id}")
        return await self._code(asked, actor, session, granted, patient_id, context or {}, lasts)

    async def decline(self, asked: Asked, actor: Actor) -> str:
        """The address that tells the app that the user did not want it."""
        await self._trace_refusal(actor, asked, "The user said no.")
        refusal = NotLetIn("access_denied", "The user said no.")
        return self.told(asked.redirect_uri, asked.state, refusal)

    async def _code(
        self,
        asked: Asked,
        actor: Actor,
        session: bytes,
        granted: tuple[str, ...],
        patient_id: str,
        launched: Mapping[str, str],
        lasts: str,
    ) -> str:
        is_inhabitant = actor.kind == "inhabitant"
        is_lasting = "offline_access" in granted
        length = SHIFT
        if is_lasting:
            length = CONSENT_LASTS.get(lasts, SHIFT) if is_inhabitant else STAFF_LASTS
        context = Context(
            granted, patient_id, launched.get("encounter", ""), True, is_inhabitant, asked.nonce
        )
        expires = clock.now() + length
        # What lasts beyond the session is not of the session: its end does not reach the record.
        acting = replace(actor, session="") if is_lasting else actor
        grant = await self._tokens.add_grant(
            asked.client.id, acting, context, None if is_lasting else session, expires
        )
        code = await self._tokens.issue_ticket(
            "code", asked.client.id,
            {"redirect_uri": asked.redirect_uri, "challenge": asked.challenge},
            clock.now() + CODE_LASTS, grant=grant.id,
        )  # fmt: skip
        answer = {"code": code, "state": asked.state, "iss": self._address}
        return _with(asked.redirect_uri, answer)

    async def _trace_refusal(self, actor: Actor, asked: Asked, why: str) -> None:
        target = f"app {asked.client.id} {asked.client.name}"
        acting = replace(actor, client=asked.client.id)
        await trace(self._gate, acting, "app-authorize", target, refused=why)


def needs_patient(asked: Asked, launched: Mapping[str, str] | None) -> bool:
    """Whether an inhabitant has to be chosen before the app is let in."""
    return launched is None and (asked.of_patient or "launch/patient" in asked.allowed)


def _problem(asked: Mapping[str, str], audience: str) -> NotLetIn | None:
    if asked.get("response_type") != "code":
        return NotLetIn("unsupported_response_type", "response_type is code.")
    if asked.get("response_mode", "query") != "query":
        return NotLetIn("invalid_request", "response_mode is query.")
    if not 0 < len(asked.get("state", "")) <= _LONGEST_STATE:
        return NotLetIn("invalid_request", "state is needed.")
    if asked.get("code_challenge_method") != "S256":
        return NotLetIn("invalid_request", "code_challenge_method is S256.")
    if not _CHALLENGE.fullmatch(asked.get("code_challenge", "")):
        return NotLetIn("invalid_request", "code_challenge is the S256 hash of a verifier.")
    if asked.get("aud", "").rstrip("/") != audience:
        return NotLetIn("invalid_request", f"aud is {audience}.")
    if not scopes.split(asked.get("scope", "")):
        return NotLetIn("invalid_scope", "scope says what is asked for.")
    return None


def _may_use(actor: Actor, client: Client) -> bool:
    registered = client.registration
    match actor.kind:
        case "practitioner":
            return registered.for_staff and actor.scopes is None
        case "inhabitant":
            return registered.for_inhabitants and actor.scopes is None
    return False


def _fits(ticket: Ticket | None, asked: Asked, session: bytes) -> bool:
    return (
        ticket is not None
        and not ticket.used_before
        and (ticket.client, ticket.session) == (asked.client.id, session)
        and ticket.expires_at > clock.now()
    )


def _with(address: str, more: Mapping[str, str]) -> str:
    joint = "&" if urlsplit(address).query else "?"
    return address + joint + urlencode([(name, value) for name, value in more.items() if value])
