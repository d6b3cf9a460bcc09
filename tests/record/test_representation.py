"""Who acts for whom: by age, responsibility, scope and end, the same by every door and at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.acting.choosing import (
    acting_for,
    end_representation,
    representatives,
    represented,
)
from helsevev.access.acting.giving import NotGiven, give, may_give
from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import NotFound, Refused
from helsevev.access.representing import RESPONSIBILITY, SCOPE_URL
from helsevev.access.services import Services
from helsevev.fhir.search_query import parse
from helsevev.kit import clock
from helsevev.record.wall import behind

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
NUMBER = "urn:oid:2.16.578.1.12.4.1.4.1"
SPERRING = "urn:oid:2.16.578.1.12.4.1.1.9603"
GRADE = "http://ehelse.no/fhir/CodeSystem/gd-address-confidentiality"
MINE = {"system": NUMBER, "value": "14850070002"}
TOGETHER = (RESPONSIBILITY, "felles")
ALL = {"plain", "low", "mine", "theirs"}


def born(years: int, days: int = 0) -> str:
    day = clock.now().date() - timedelta(days=days)
    return day.replace(year=day.year - years, day=min(day.day, 28)).isoformat()


def tie(patient: str, *codes: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "RelatedPerson", "id": f"tie-{patient}", "identifier": [MINE],
        "patient": {"reference": f"Patient/{patient}"},
        "relationship": [{"coding": [{"system": s, "code": c}]} for s, c in codes],
    } | more  # fmt: skip


def scope(code: str) -> dict[str, Any]:
    return {"extension": [{"url": SCOPE_URL, "valueCode": code}]}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def made(services: Services, patient: Any) -> Callable[..., Any]:
    """Makes somebody of an age with entries of each kind, and a tie to the one who acts."""
    await services.writer.write(SYSTEM, patient("acts", birthDate=born(45), identifier=[MINE]))

    async def make(name: str, years: int, *codes: tuple[str, str], **more: Any) -> Actor:
        marks = {"mine": "NORN_FORANS", "theirs": "NORN_UNGDOM"}
        person = patient(name, birthDate=born(years, 30), **more.pop("person", {}))
        entries = [
            {"resourceType": "Condition", "id": f"{name}-{entry}",
             "subject": {"reference": f"Patient/{name}"},
             "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-no",
                                  "code": "F32.1" if entry == "low" else "J45"}]},
             **({"meta": {"security": [{"system": SPERRING, "code": marks[entry]}]}}
                if entry in marks else {})}
            for entry in sorted(ALL)
        ]  # fmt: skip
        for resource in (person, *entries, tie(name, *codes, **more)):
            await services.writer.write(SYSTEM, resource)
        kind = {"POWATT": "power-of-attorney", "GUARD": "guardian"}.get(codes[0][1], "parent")
        return Actor(
            "inhabitant", "Patient/acts", "Acts", "", "", patient=f"Patient/{name}", acting=kind
        )

    return make


async def seen(services: Services, actor: Actor) -> set[str] | None:
    """The entries that one who acts is shown behind the wall; None: refused, and counts nothing."""
    name = (actor.patient or "").removeprefix("Patient/")
    with behind():
        counted = parse("Condition", [("_id", ",".join(f"{name}-{e}" for e in ALL)),
                                      ("_total", "accurate")], base="")  # fmt: skip
        try:
            page = await services.searcher.search(actor, counted)
        except Refused:
            page = None
        try:
            await services.gate.open_chart(actor, name)
        except Refused:
            assert page is None or (page.total, page.matches) == (0, [])
            # A count alone has nobody's entry to refuse.
            asked = [("code", "J45"), ("_summary", "count")]
            count = await services.searcher.search(actor, parse("Condition", asked, base=""))
            assert count.total == 0
            return None
    assert page is not None
    assert page.total == len(page.matches)
    return {stored.id.removeprefix(f"{name}-") for stored in page.matches}


MTH = (ROLE, "MTH")
POWATT = (ROLE, "POWATT")
GUARD = (ROLE, "GUARD")
OPEN = ALL - {"theirs"}


@pytest.mark.parametrize(
    ("name", "years", "codes", "more", "shown"),
    [
        ("infant", 1, (MTH, TOGETHER), {}, ALL - {"mine"}),
        ("eleven", 11, (MTH, TOGETHER), {}, ALL - {"mine"}),
        ("twelve", 12, (MTH, TOGETHER), {}, {"plain", "theirs"}),
        ("fifteen", 15, (MTH, TOGETHER), {}, {"plain", "theirs"}),
        ("sixteen", 16, (MTH, TOGETHER), {}, None),
        ("grown", 18, (MTH, TOGETHER), {}, None),
        ("not-hers", 5, (MTH, (RESPONSIBILITY, "far")), {}, None),
        ("nobody-said", 5, (MTH,), {}, None),
        ("attorney", 70, (POWATT,), {}, OPEN),
        ("attorney-read", 70, (POWATT,), scope("read"), OPEN),
        ("attorney-messages", 70, (POWATT,), scope("communicate"), None),
        ("attorney-young", 15, (POWATT,), {}, None),
        ("attorney-over", 70, (POWATT,), {"period": {"end": "2020-01-01"}}, None),
        ("attorney-to-come", 70, (POWATT,), {"period": {"start": "2090-01-01"}}, None),
        ("attorney-withdrawn", 70, (POWATT,), {"active": False}, None),
        ("ward", 70, (GUARD,), scope("full"), OPEN),
        ("ward-child", 8, (GUARD,), scope("full"), ALL - {"mine"}),
        ("ward-young", 14, (GUARD,), scope("full"), {"plain", "theirs"}),
        ("ward-over", 70, (GUARD,), {"period": {"end": "2020-01-01"}}, None),
        ("hidden", 5, (MTH, TOGETHER),
         {"person": {"meta": {"security": [{"system": GRADE, "code": "fortrolig"}]}}}, None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
async def test_who_acts_sees_what_age_responsibility_and_scope_give(
    services: Services,
    made: Callable[..., Any],
    name: str,
    years: int,
    codes: Any,
    more: dict[str, Any],
    shown: set[str] | None,
) -> None:
    actor = await made(name, years, *codes, **more)
    assert await seen(services, actor) == shown
    offered = {each.patient_id for each in await represented(services.gate, actor)}
    assert (name in offered) == (shown is not None)


async def test_what_is_withdrawn_closes_open_sessions_and_apps_at_once(
    services: Services, made: Callable[..., Any]
) -> None:
    actor = await made("given", 70, POWATT)
    session = await services.credentials.start_session(actor)
    token = await services.credentials.issue_token(actor)
    permit = await services.gate.open_chart(actor, "given")
    given = Actor("inhabitant", "Patient/given", "Given", "", "", patient="Patient/given")
    (who,) = await representatives(services.gate, given)
    assert (who.kind, who.scope, who.may_end) == ("power-of-attorney", "full", True)
    with pytest.raises(NotFound):
        await end_representation(services.writer, given, "tie-attorney")
    with pytest.raises(NotFound):
        # One who acts ends nothing on the giver's behalf.
        await end_representation(services.writer, actor, who.id)
    await end_representation(services.writer, given, who.id)
    assert await representatives(services.gate, given) == []
    for still in (
        await services.credentials.session_actor(session),
        await services.credentials.token_actor(token),
    ):
        assert still is not None
        assert await seen(services, still) is None
        with pytest.raises(NotFound):
            await acting_for(services.gate, still, "given")
    later = await services.gate.permits.verdict(actor, permit.patient)
    assert not later.decision.allowed


async def test_a_guardian_is_not_the_ward_s_to_end(
    services: Services, made: Callable[..., Any]
) -> None:
    await made("kept", 70, GUARD)
    ward = Actor("inhabitant", "Patient/kept", "Kept", "", "", patient="Patient/kept")
    (who,) = await representatives(services.gate, ward)
    assert not who.may_end
    with pytest.raises(NotFound):
        await end_representation(services.writer, ward, who.id)


async def test_who_must_not_be_found_acts_for_nobody(
    services: Services, made: Callable[..., Any], patient: Any
) -> None:
    actor = await made("child-of-the-hidden", 5, MTH, TOGETHER)
    assert await seen(services, actor) is not None
    current = await services.gate.store.read("Patient", "acts")
    assert current is not None
    hidden = {"meta": {"security": [{"system": GRADE, "code": "strengtFortrolig"}]}}
    await services.writer.write(SYSTEM, {**current.resource, **hidden}, if_match=current.version)
    assert await seen(services, actor) is None
    assert await represented(services.gate, actor) == []


GIVER = {"system": NUMBER, "value": "14850000043"}
FRIEND = {"system": NUMBER, "value": "14850000124"}


def wish(key: str, **said: str) -> dict[str, str]:
    number = FRIEND["value"]
    return {"name": "Venn", "number": number, "scope": "read", "until": "", "key": key} | said


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def giver(services: Services, patient: Any) -> tuple[Actor, Actor]:
    """Somebody of age, and the friend whom they trust."""
    await services.writer.write(SYSTEM, patient("gives", birthDate=born(70), identifier=[GIVER]))
    await services.writer.write(SYSTEM, patient("friend", birthDate=born(68), identifier=[FRIEND]))
    return tuple(
        Actor("inhabitant", f"Patient/{name}", name, "", "", patient=f"Patient/{name}")
        for name in ("gives", "friend")
    )  # type: ignore[return-value]


async def test_one_gives_a_power_of_attorney_takes_it_back_and_gives_it_anew(
    services: Services, giver: tuple[Actor, Actor]
) -> None:
    gate, (me, friend) = services.gate, giver
    tomorrow = (clock.now() + timedelta(days=1)).date().isoformat()
    for turn in ("first", "second"):
        with behind():
            assert await may_give(services.writer, me)
            for _press in range(2):
                await give(services.writer, me, wish(turn, until=tomorrow))
            (held,) = await representatives(gate, me)
            assert (held.kind, held.scope, held.may_end) == ("power-of-attorney", "read", True)
            (whom,) = await represented(gate, friend)
            assert whom.patient_id == "gives"
            acting = await acting_for(gate, friend, "gives")
            await gate.open_chart(acting, "gives")
            with pytest.raises(NotGiven, match="allerede"):
                await give(services.writer, me, wish("wider", scope="full"))
            await end_representation(services.writer, me, held.id)
            assert await represented(gate, friend) == []
    with behind():
        touches = await gate.who_has_read(await gate.open_chart(me, "gives"))
    assert any(each.interaction == "give-representation" for each in touches)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"number": "14850000125"}, "number"), ({"number": ""}, "number"),
        ({"number": GIVER["value"]}, "number"), ({"name": " "}, "name"),
        ({"scope": "everything"}, "scope"), ({"until": "2020-01-01"}, "until"),
        ({"until": "i morgen"}, "until"),
    ],
)  # fmt: skip
async def test_a_power_of_attorney_that_says_too_little_is_not_given(
    services: Services, giver: tuple[Actor, Actor], said: dict[str, str], field: str
) -> None:
    with behind(), pytest.raises(NotGiven) as wrong:
        await give(services.writer, giver[0], wish("wrong", **said))
    assert set(wrong.value.problems) == {field}
    assert await representatives(services.gate, giver[0]) == []


async def test_the_young_and_those_who_act_give_no_power_of_attorney(
    services: Services, patient: Any, giver: tuple[Actor, Actor]
) -> None:
    await services.writer.write(SYSTEM, patient("young", birthDate=born(15)))
    young = Actor("inhabitant", "Patient/young", "Y", "", "", patient="Patient/young")
    nurse = Actor("practitioner", "Practitioner/nurse", "N", "nurse", "", organisations=("ward",))
    for somebody in (young, nurse):
        with behind():
            assert not await may_give(services.writer, somebody)
            with pytest.raises(Refused):
                await give(services.writer, somebody, wish("no"))
