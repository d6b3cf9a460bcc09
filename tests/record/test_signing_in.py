"""Who the record knows, quick re-login, codes, locks and sign-out, over a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.identity import matching
from helsevev.access.identity.alarms import Alarms
from helsevev.access.identity.attempts import Attempts
from helsevev.access.identity.claims import InhabitantClaims, StaffClaims
from helsevev.access.identity.cookies import Cookies
from helsevev.access.identity.devices import MOST_WRONG, Devices
from helsevev.access.identity.matching import Matcher
from helsevev.access.identity.one_time_codes import MOST_WRONG as MOST_WRONG_CODES
from helsevev.access.identity.one_time_codes import OneTimeCodes
from helsevev.access.identity.refusals import LoginRefused
from helsevev.access.services import Services
from helsevev.access.session import SHIFT, SignIn
from helsevev.fhir.identifiers import D_NUMMER, FODSELSNUMMER, HPR_NUMMER, ORGANISASJONSNUMMER
from helsevev.kit import clock
from helsevev.record.database import Database

_NUMBER = "13116900216"


def _identifier(system: str, value: str) -> list[dict[str, str]]:
    return [{"system": system, "value": value}]


def _practitioner(key: str, hpr: str, **more: Any) -> dict[str, Any]:
    name = [{"family": "Ness", "given": [key.capitalize()]}]
    return {
        "resourceType": "Practitioner", "id": key, "name": name,
        "identifier": _identifier(HPR_NUMMER, hpr),
    } | more  # fmt: skip


def _role(key: str, person: str, unit: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "PractitionerRole", "id": key,
        "practitioner": {"reference": f"Practitioner/{person}"},
        "organization": {"reference": f"Organization/{unit}"},
        "code": [{"text": "Sykepleier"}],
    } | more  # fmt: skip


def _organisation(key: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Organization", "id": key, "name": key.capitalize()} | more


_ENDED = {"period": {"end": "2020-01-01"}}
_QUALIFIED = {"code": {"text": "Sykepleier"}}
STAFF = [
    _organisation("trust", identifier=_identifier(ORGANISASJONSNUMMER, "883974832")),
    _organisation("post", partOf={"reference": "Organization/trust"}),
    _organisation("legevakt", identifier=_identifier(ORGANISASJONSNUMMER, "942110464")),
    _practitioner("one", "1001"), _role("one-post", "one", "post"),
    _practitioner("two", "1002"), _role("two-post", "two", "post"),
    _role("two-legevakt", "two", "legevakt"), _role("two-old", "two", "trust", **_ENDED),
    _practitioner("stopped", "1003", active=False), _role("stopped-post", "stopped", "post"),
    _practitioner("withdrawn", "1004", qualification=[_QUALIFIED | _ENDED]),
    _role("withdrawn-post", "withdrawn", "post"),
    _practitioner("renewed", "1005", qualification=[_QUALIFIED | _ENDED, _QUALIFIED]),
    _role("renewed-post", "renewed", "post"),
    _practitioner("idle", "1006"), _role("idle-post", "idle", "post", active=False),
    _practitioner("twin-a", "1007"), _practitioner("twin-b", "1007"),
    _practitioner("future", "1008"),
    _role("future-post", "future", "post", period={"start": "2090-01-01"}),
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def matcher(services: Services, patient: Any) -> Matcher:
    """Looks among a few members of staff and inhabitants."""
    people = [
        patient("known", identifier=_identifier(FODSELSNUMMER, _NUMBER)),
        patient("other", identifier=_identifier("urn:oid:other", "12056811111")),
        patient("gone", identifier=_identifier(FODSELSNUMMER, "01019012345"), active=False),
        patient("double-a", identifier=_identifier(FODSELSNUMMER, "02029012345")),
        patient("double-b", identifier=_identifier(FODSELSNUMMER, "02029012345")),
        patient("guest", identifier=_identifier(D_NUMMER, "53116900216")),
    ]
    for resource in [*STAFF, *people]:
        await services.writer.write(SYSTEM, resource)
    return Matcher(services.gate, services.searcher)


@pytest.mark.parametrize(
    ("claims", "units"),
    [
        (StaffClaims("1001"), ["Post"]),
        (StaffClaims("1002"), ["Legevakt", "Post"]),
        (StaffClaims("1002", organisation="883974832"), ["Post"]),
        (StaffClaims("1002", unit="942110464"), ["Legevakt"]),
        (StaffClaims("1005"), ["Post"]),
    ],
)
async def test_an_hpr_number_leads_to_the_roles_that_are_active_there(
    matcher: Matcher, claims: StaffClaims, units: list[str]
) -> None:
    assert [actor.unit_name for actor in await matcher.staff(claims)] == units


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        (StaffClaims("9999"), matching.UNKNOWN_HPR),
        (StaffClaims("100"), matching.UNKNOWN_HPR),
        (StaffClaims("1003"), matching.WITHDRAWN),
        (StaffClaims("1004"), matching.WITHDRAWN),
        (StaffClaims("1006"), matching.NO_ROLE),
        (StaffClaims("1007"), matching.WITHDRAWN),
        (StaffClaims("1008"), matching.NO_ROLE),
        (StaffClaims("1001", organisation="942110464"), matching.NO_ROLE_THERE),
        (StaffClaims("1001", organisation="000000000"), matching.NO_ROLE_THERE),
    ],
)
async def test_an_unknown_or_withdrawn_number_or_no_role_signs_nobody_in(
    matcher: Matcher, claims: StaffClaims, reason: str
) -> None:
    with pytest.raises(LoginRefused) as refused:
        await matcher.staff(claims)
    assert (refused.value.reason, refused.value.about) == (reason, claims.hpr_number)


async def test_an_inhabitant_is_found_by_exactly_this_number(matcher: Matcher) -> None:
    found = await matcher.inhabitant(InhabitantClaims(_NUMBER))
    assert (found.patient, found.kind, found.assurance) == ("Patient/known", "inhabitant", "high")
    assert (await matcher.inhabitant(InhabitantClaims("53116900216"))).patient == "Patient/guest"
    for number in ("12056811111", "01019012345", "02029012345", "13116900217"):
        with pytest.raises(LoginRefused) as refused:
            await matcher.inhabitant(InhabitantClaims(number))
        assert number not in f"{refused.value.reason}{refused.value.about}{refused.value.detail}"


@pytest.fixture
def devices(database: Database, tmp_path: Path) -> Devices:
    """The devices of one record."""
    return Devices(database, tmp_path)


async def _on(devices: Devices, device: str, actor: Actor) -> None:
    await devices.remember(device, actor, SignIn(ends_at=clock.now() + SHIFT))


async def test_wrong_pins_close_one_device_and_no_other(devices: Devices, nurse: Actor) -> None:
    assert await devices.set_pin(nurse.id, "2580") == ""
    for device in ("ward", "office"):
        await _on(devices, device, nurse)

    async def tried(device: str, pin: str) -> bool:
        (colleague,) = await devices.colleagues(device, nurse.id)
        return await devices.pin_fits(device, colleague, pin)

    assert not any(await asyncio.gather(*(tried("ward", f"{n:04}") for n in range(8))))
    assert not await tried("ward", "2580"), "too late, also for the right one"
    assert not (await devices.colleagues("ward", nurse.id))[0].has_pin
    assert await tried("office", "2580")
    await _on(devices, "ward", nurse)
    assert await tried("ward", "2580"), "after a full login there"


async def test_the_right_pin_forgives_wrong_ones_and_leads_back_to_the_page(
    devices: Devices, nurse: Actor
) -> None:
    await devices.set_pin(nurse.id, "2580")
    await _on(devices, "cart", nurse)
    await devices.leave("cart", nurse, "/patient/anne")
    (colleague,) = await devices.colleagues("cart")
    assert not await devices.pin_fits("cart", colleague, "0852")
    assert await devices.pin_fits("cart", colleague, "2580")
    assert await devices.came_back("cart", nurse.id) == "/patient/anne"
    assert await devices.came_back("cart", nurse.id) == ""
    assert (await devices.colleagues("cart"))[0].tries == MOST_WRONG


async def test_a_device_lets_back_in_only_who_signed_in_there_this_shift(
    devices: Devices, nurse: Actor, stranger: Actor, later: Callable[..., None]
) -> None:
    await _on(devices, "hall", nurse)
    await _on(devices, "hall", stranger)
    assert {c.person for c in await devices.colleagues("hall")} == {nurse.id, stranger.id}
    assert await devices.colleagues("attic") == await devices.colleagues(None) == []
    await devices.forget(stranger.id, "hall")
    assert [c.person for c in await devices.colleagues("hall")] == [nurse.id]
    later(hours=12, minutes=1)
    assert await devices.colleagues("hall") == []


async def test_a_one_time_code_works_once_and_guessing_rests(
    database: Database, tmp_path: Path, later: Callable[..., None]
) -> None:
    codes = OneTimeCodes(database, tmp_path)
    person = "Practitioner/codes"
    enrolment = await codes.enrol(person, "Nora")
    totp = pyotp.TOTP(enrolment.secret)
    assert not await codes.is_ready(person)
    assert not await codes.fits(person, totp.at(clock.now())), "not confirmed yet"
    assert await codes.fits(person, totp.at(clock.now()), confirming=True)
    assert await codes.is_ready(person)
    assert not await codes.fits(person, totp.at(clock.now())), "used already"
    later(seconds=60)
    both = await asyncio.gather(*(codes.fits(person, totp.at(clock.now())) for _ in range(4)))
    assert sorted(both) == [False, False, False, True]
    later(seconds=60)
    for wrong in ("", "000000", "abcdef", "²³²³²³", "1" * 40):
        assert not await codes.fits(person, wrong)
    assert not await codes.fits(person, totp.at(clock.now())), "resting"
    later(minutes=11)
    assert await codes.fits(person, totp.at(clock.now()))
    kept = await database.fetchval("SELECT secret FROM one_time_code WHERE person = $1", person)
    assert enrolment.secret.encode() not in kept


async def test_of_codes_guessed_at_once_no_more_are_looked_at_than_one_after_another(
    database: Database, tmp_path: Path, later: Callable[..., None]
) -> None:
    codes, person = OneTimeCodes(database, tmp_path), "Practitioner/guessed"
    totp = pyotp.TOTP((await codes.enrol(person, "Nora")).secret)
    assert await codes.fits(person, totp.at(clock.now()), confirming=True)
    later(seconds=60)
    wrong = [f"{(int(totp.at(clock.now())) + 1 + n) % 1_000_000:06}" for n in range(12)]
    told = await asyncio.gather(*(codes.tried(person, code) for code in wrong))
    assert sorted(left for _, left in told if left is not None) == list(range(MOST_WRONG_CODES))
    assert await codes.tried(person, totp.at(clock.now())) == (False, None), "resting"
    later(minutes=11)
    assert await codes.fits(person, totp.at(clock.now()))


async def test_a_session_ends_after_twelve_hours_however_much_it_is_used(
    services: Services, nurse: Actor, later: Callable[..., None]
) -> None:
    credentials = services.credentials
    token = await credentials.start_session(nurse)
    for _ in range(12 * 6 - 1):
        later(minutes=10)
        session = await credentials.session(token)
        assert session is not None
        await credentials.seen(token, session)
    assert await credentials.session_actor(token) == nurse
    later(minutes=10)
    assert await credentials.session(token) is None


@pytest.mark.parametrize("kind", ["session", "token"])
async def test_what_ends_while_it_is_looked_up_is_not_remembered(
    services: Services,
    nurse: Actor,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    here, there = services.credentials, type(services.credentials)(database)
    await there.follow()
    ways: dict[str, tuple[Any, Any, str]] = {
        "session": (here.start_session, there.session_actor, "session"),
        "token": (here.issue_token, there.token_actor, "api_token"),
    }
    begin, ask, table = ways[kind]
    token, read = await begin(nurse), database.fetchrow

    async def read_slowly(*asked: Any) -> Any:
        """What is read is old news before it is looked at."""
        row = await read(*asked)
        await database.execute(f"DELETE FROM {table}")
        await database.execute("SELECT pg_notify('session_changed', '')")
        await asyncio.sleep(0.3)
        return row

    with monkeypatch.context() as patch:
        patch.setattr(database, "fetchrow", read_slowly)
        await ask(token)
    assert await ask(token) is None


async def test_a_session_locks_by_itself_and_its_token_is_nobody_s_then(
    services: Services, nurse: Actor, later: Callable[..., None]
) -> None:
    credentials = services.credentials
    credentials.lock_after = timedelta(minutes=15)
    token = await credentials.start_session(nurse)
    later(minutes=14)
    session = await credentials.session(token)
    assert session is not None
    assert not session.locked
    await credentials.seen(token, session)
    later(minutes=14)
    assert (await credentials.session_actor(token)) == nurse
    later(minutes=2)
    assert await credentials.session_actor(token) is None
    locked = await credentials.session(token)
    assert locked is not None
    assert locked.locked
    await credentials.seen(token, locked)
    assert await credentials.session_actor(token) is None, "nothing wakes it but a new login"


async def test_another_process_hears_at_once_that_a_session_is_over(
    services: Services, nurse: Actor, database: Database
) -> None:
    here, there = services.credentials, type(services.credentials)(database)
    await there.follow()
    token = await here.start_session(nurse)
    assert await there.session_actor(token) == nurse
    for end in (here.lock, here.end_session):
        await end(token)
        async with asyncio.timeout(5):
            while await there.session_actor(token) is not None:
                await asyncio.sleep(0.01)


async def test_signing_out_everywhere_ends_every_session_of_the_person_alone(
    services: Services, nurse: Actor, stranger: Actor
) -> None:
    credentials = services.credentials
    mine = [await credentials.start_session(nurse) for _ in range(3)]
    others = await credentials.start_session(stranger, SignIn(provider_session="p1"))
    assert await credentials.end_sessions_of(nurse.id) >= 3
    assert [await credentials.session(token) for token in mine] == [None, None, None]
    assert await credentials.session_actor(others) == stranger
    assert await credentials.end_sessions_of_provider("") == []
    assert await credentials.end_sessions_of_provider("p1") == [stranger.id]
    assert await credentials.session(others) is None


async def test_what_is_remembered_of_a_session_comes_back_as_it_was(
    services: Services, nurse: Actor
) -> None:
    role = {"id": "r", "name": "Post", "role": "Sykepleier", "organisation": "St. Olavs"}
    sign_in = SignIn("national", None, "device", (role,), "p2", "token", {"care_relation": {}})
    actor = replace(nurse, assurance="high")
    found = await services.credentials.session(
        await services.credentials.start_session(actor, sign_in)
    )
    assert found is not None
    assert replace(found.sign_in, ends_at=None, proved_at=None) == sign_in
    assert (found.actor, found.actor.session) == (actor, found.id)


async def test_an_attempt_is_taken_once_and_in_time(
    database: Database, later: Callable[..., None]
) -> None:
    attempts = Attempts(database)
    token = await attempts.begin("role", {"a": 1})
    assert await attempts.take("provider", token) is None, "of another kind"
    assert await attempts.look("role", token) == {"a": 1}
    both = await asyncio.gather(*(attempts.take("role", token) for _ in range(4)))
    assert sorted(both, key=bool) == [None, None, None, {"a": 1}]
    slow = await attempts.begin("role", {})
    later(minutes=11)
    assert await attempts.look("role", slow) is None
    assert await attempts.take("role", slow) is None


async def test_an_alarm_is_new_until_somebody_has_looked(
    database: Database, nurse: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    alarms = Alarms(database)
    await alarms.raise_alarm("emergency-login", nurse, "Signed in.")
    assert "emergency-login" in caplog.text
    (row,) = await alarms.newest()
    assert (row["kind"], row["person"], row["seen_at"]) == ("emergency-login", nurse.id, None)
    await alarms.seen(row["id"])
    assert (await alarms.newest())[0]["seen_at"] is not None


class _Browser:
    """A browser that sends these cookies."""

    def __init__(self, **cookies: str) -> None:
        self.cookies = cookies


@given(value=st.text(alphabet="0123456789abcdef.", max_size=120))
def test_no_device_but_one_we_named_is_believed(value: str) -> None:
    browser: Any = _Browser(helsevev_device=value)
    assert Cookies("key", secure=False).device(browser) is None


def test_over_https_a_cookie_without_the_prefix_is_nobody_s() -> None:
    browser: Any = _Browser(helsevev_session="t")
    assert Cookies("key", secure=True).session(browser) is None
    assert Cookies("key", secure=False).session(browser) == "t"
