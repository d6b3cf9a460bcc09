"""What becomes of a card: shown once while a form is filled in, heeded or not, what came after."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.contract.apps.conftest import NURSE, World, world
from tests.contract.decision_support.test_cds_hooks import medicine

from helsevev.access.actor import SYSTEM
from helsevev.access.errors import Conflict
from helsevev.access.rule_reviews import RuleReviews
from helsevev.advice.rule_book import rule_book, title_of
from helsevev.advice.rule_reviews import send_to_review
from helsevev.advice.rule_statistics import case_counts
from helsevev.content import decision_loading as content
from helsevev.kit import clock
from helsevev.kit.nightly import next_night
from helsevev.medication.checks import check_orders
from helsevev.medication.order_checks import answered, checked

__all__ = ["world"]
pytestmark = pytest.mark.asyncio(loop_scope="session")
PHYSICIAN = replace(NURSE, id="Practitioner/physician", profession="physician")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


RULE = "as-needed.no-maximum"


def order(atc: str, name: str, key: str, *, most: bool = False) -> dict[str, Any]:
    """An order as the form with a key makes it: as needed, with or without a most in 24 hours."""
    made = medicine(atc, name)
    dosage = made["dosageInstruction"][0]
    del dosage["timing"]
    dosage["asNeededCodeableConcept"] = {"text": "uro"}
    if most:
        dosage["maxDosePerPeriod"] = {
            "numerator": {"value": 10, "unit": "mg"}, "denominator": {"value": 24, "unit": "h"},
        }  # fmt: skip
    named = [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{key}"}]
    return {**made, "identifier": named}


async def test_a_form_that_asks_at_each_key_press_shows_its_cards_once(world: World) -> None:
    services, key = world.services, str(uuid.uuid4())
    permit = await services.gate.open_chart(PHYSICIAN, "own")
    zopiclone = order("N05CF01", "Imovane", key)
    told = [
        (await checked(services, permit, zopiclone, hook="order-select", showing=key)).cards
        for _press in range(4)
    ]
    ids = {card.id for cards in told for card in cards}
    assert len(ids) == len(told[0]) > 0
    events = [e for e in await services.card_log.of(permit) if e.card in ids]
    assert sorted(e.card for e in events) == sorted(ids)
    other = await checked(services, permit, zopiclone, showing=str(uuid.uuid4()))
    assert not ids & {card.id for card in other.cards}


async def test_a_card_that_the_prescriber_heeds_is_accepted_and_one_overridden_has_an_outcome(
    world: World,
) -> None:
    services, key = world.services, str(uuid.uuid4())
    permit = await services.gate.open_chart(PHYSICIAN, "own")
    high = order("N05BA04", "Sobril", key)
    first = await checked(services, permit, high, hook="order-select", showing=key)
    heeded = next(card for card in first.cards if card.rule == RULE)
    low = order("N05BA04", "Sobril", key, most=True)
    says = await checked(services, permit, low, showing=key)
    answers = {card.key: "Vurdert" for card in says.must_answer}
    await answered(services, permit, says, answers, low)
    events = {(e.card, e.event, e.reason) for e in await services.card_log.of(permit)}
    assert (heeded.id, "accepted", "changed") in events

    key = str(uuid.uuid4())
    again = order("N05BA01", "Vival", key)
    says = await checked(services, permit, again, showing=key)
    await answered(services, permit, says, {c.key: "Vurdert" for c in says.must_answer}, again)
    subject, later = f"urn:uuid:{key}", clock.now() + timedelta(seconds=1)
    await services.card_log.came_after(permit, [subject], "stopped", "Lavt blodtrykk", later)
    await services.card_log.came_after(permit, [subject], "changed", "", later)
    came = [e for e in await services.card_log.of(permit) if e.event == "outcome"]
    assert {(e.subject, e.reason, e.words) for e in came} == {
        (subject, "stopped", "Lavt blodtrykk")
    }
    outcomes = await services.card_log.outcomes(LONG_AGO)
    assert any(rule == RULE and what == "stopped" for rule, what, _many in outcomes)
    weeks = [w for w in await services.card_log.weeks(LONG_AGO) if w.rule == heeded.rule]
    assert [(w.week.isoweekday(), w.outcomes, w.accepted) for w in weeks] == [(1, 1, 1)]


async def test_a_rule_that_few_accept_goes_to_one_review_and_a_person_ends_it(world: World) -> None:
    services = world.services
    permit = await services.gate.open_chart(PHYSICIAN, "own")
    for place in range(content.levels().fewest_shown):
        tablet = order(f"R05DA{place:02}", f"Hostemiddel {place}", str(uuid.uuid4()))
        (advice,) = await check_orders(services, permit, [tablet])
        card = next(each for each in advice.cards if each.rule == RULE)
        await services.card_log.answer(PHYSICIAN, card.id, "overridden", words="Har tålt det")
    reviews = RuleReviews(services.gate)
    assert card.rule not in await reviews.waiting()
    assert await send_to_review(services) >= 1
    assert await send_to_review(services) == 0
    review = (await reviews.waiting())[card.rule]
    async with await world.signed_in(PHYSICIAN) as browser:
        page = await browser.get(f"/advice/rules/{card.rule}")
        assert review.told in page.text
        form = {"_csrf_token": browser.cookies.get("csrftoken", ""), "verdict": " "}
        assert (await browser.post(f"/advice/rules/{card.rule}", data=form)).status_code == 422
        form["verdict"] = "Grensen heves i neste utgave."
        ended = await browser.post(f"/advice/rules/{card.rule}", data=form)
        assert ended.status_code == 303, ended.text
        assert (await browser.get("/advice/rules/dose.no-such-rule")).status_code == 404
        assert "Grensen heves" in (await browser.get(f"/advice/rules/{card.rule}")).text
    assert card.rule not in await reviews.waiting()
    (ended_one,) = [each for each in await reviews.all() if each.rule == card.rule]
    assert ended_one.ended_by == PHYSICIAN.name
    with pytest.raises(Conflict):
        await reviews.end(PHYSICIAN, card.rule, "en gang til")


async def test_each_rule_that_speaks_in_a_case_has_a_norwegian_title() -> None:
    unnamed = [rule for rule in case_counts().of_rule if title_of(rule) == rule]
    assert unnamed == []
    assert all(rule.level in ("stop", "interrupt", "quiet") for rule in rule_book().values())


async def test_the_night_comes_once_a_day_whichever_way_clocks_are_turned() -> None:
    oslo = ZoneInfo("Europe/Oslo")
    moment = datetime(2026, 3, 27, 12, tzinfo=UTC)
    days = []
    for _night in range(6):
        moment = next_night(moment)
        days.append(moment.astimezone(oslo).date().isoformat())
    assert days == [f"2026-03-{day}" for day in (28, 29, 30, 31)] + ["2026-04-01", "2026-04-02"]


async def test_cards_follow_a_person_whose_records_are_merged_and_leave_again(
    world: World,
) -> None:
    services = world.services
    ids = []
    for number in ("1", "2"):
        person = {
            "resourceType": "Patient", "name": [{"family": "Lie", "given": ["Ida"]}],
            "identifier": [{"system": "urn:card", "value": number}],
        }  # fmt: skip
        ids.append((await services.writer.write(SYSTEM, person)).stored.id)
    permits = [await services.gate.open_chart(SYSTEM, each) for each in ids]
    (advice,) = await check_orders(services, permits[0], [order("N05BA04", "Sobril", "s")])
    card = next(each for each in advice.cards if each.rule == RULE)
    await services.card_log.answer(SYSTEM, card.id, "overridden", words="Vurdert")
    rates = {each.rule: each for each in await services.card_log.statistics(LONG_AGO)}

    await services.person_merger.merge(SYSTEM, *ids)
    stays = await services.gate.open_chart(SYSTEM, ids[1])
    assert card.key in await services.card_log.settled(stays)
    after = {each.rule: each for each in await services.card_log.statistics(LONG_AGO)}
    assert after[RULE] == rates[RULE], "one card counts once"

    await services.person_merger.part(SYSTEM, ids[0])
    stays = await services.gate.open_chart(SYSTEM, ids[1])
    assert card.key not in await services.card_log.settled(stays)
    assert [e.card for e in await services.card_log.of(stays)] == []
