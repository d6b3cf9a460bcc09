"""Systems that listen are told of every event, in order, and of no more than they may see."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import Refused, Unprocessable
from helsevev.access.services import Services
from helsevev.record.database import Database
from helsevev.record.statements import load
from helsevev.record.subscriptions import settle_restored

from .receiver import events_in, receiving, said
from .subscribing import IG, TOPIC, result_of, running, subscription


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(database: Database) -> AsyncIterator[Services]:
    async with running(database) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def people(told: Services, patient: Any, stay: Any) -> None:
    for person in ("gro", "hege"):
        await told.writer.write(SYSTEM, patient(person))
        await told.writer.write(SYSTEM, stay(person))


async def active(services: Services, subscribed: dict[str, Any], actor: Actor = SYSTEM) -> str:
    """Ask for a subscription, and wait until it is active; its id."""
    name = (await services.writer.write(actor, subscribed, create=True)).stored.id
    await until_status(services, name, "active")
    return name


async def until_status(services: Services, name: str, status: str) -> dict[str, Any]:
    """Wait until the resource says this status."""
    async with asyncio.timeout(20):
        while True:
            resource = (await services.subscriptions.open(SYSTEM, name)).resource
            if resource["status"] == status:
                return resource
            await asyncio.sleep(0.02)


async def test_a_result_is_told_of_after_a_handshake(told: Services) -> None:
    async with receiving() as receiver:
        name = await active(told, subscription(receiver.url, content="full-resource"))
        assert [said(b, "type") for b in receiver.bundles] == ["handshake"]
        written = (await told.writer.write(SYSTEM, result_of("gro"))).stored
        await receiver.until(1)
        (bundle,) = receiver.of_kind("event-notification")
        assert bundle["type"] == "history"
        assert [e["resource"] for e in bundle["entry"][1:]] == [written.resource]
        assert bundle["entry"][1]["fullUrl"] == f"http://record.example/fhir/{written.reference}"
        assert bundle["entry"][1]["request"] == {"method": "POST", "url": "Observation"}
        assert events_in(bundle)[0]["focus"] == written.reference
        await told.writer.delete(SYSTEM, "Subscription", name)


async def test_only_what_passes_the_filters_is_an_event(told: Services, pulse: Any) -> None:
    async with receiving() as receiver:
        asked = subscription(receiver.url, filters=["Observation?patient=Patient/gro"])
        name = await active(told, asked)
        await told.writer.write(SYSTEM, result_of("hege"))
        await told.writer.write(SYSTEM, pulse("gro"))
        mine = (await told.writer.write(SYSTEM, result_of("gro"))).stored
        await receiver.until(1)
        await asyncio.sleep(0.2)
        assert [event["focus"] for event in receiver.events] == [mine.reference]
        await told.writer.delete(SYSTEM, "Subscription", name)


async def test_a_receiver_that_is_down_holds_up_nobody_and_gets_all_of_it_in_order(
    told: Services,
) -> None:
    async with receiving() as up:
        async with receiving() as broken:
            one = await active(told, subscription(up.url))
            other = await active(
                told, subscription(broken.url, asks={"max-count": {"valuePositiveInt": 2}})
            )
        focuses = [
            (await told.writer.write(SYSTEM, result_of("gro"))).stored.reference for _ in range(5)
        ]
        await up.until(1, 2, 3, 4, 5)
        await until_status(told, other, "error")
        broken.status = 500
        async with receiving(broken.port, broken):
            while not broken.refused:
                await asyncio.sleep(0.02)
            broken.status = 200
            await broken.until(1, 2, 3, 4, 5)
            await until_status(told, other, "active")
        assert broken.numbers == [1, 2, 3, 4, 5]
        assert [event["focus"] for event in broken.events] == focuses
        assert max(len(events_in(bundle)) for bundle in broken.bundles) == 2
        for name in (one, other):
            await told.writer.delete(SYSTEM, "Subscription", name)


async def test_who_hangs_is_waited_for_no_longer_than_asked(told: Services) -> None:
    async with receiving() as slow:
        name = await active(told, subscription(slow.url, asks={"timeout": {"valueUnsignedInt": 1}}))
        slow.seconds = 5
        await told.writer.write(SYSTEM, result_of("gro"))
        resource = await until_status(told, name, "error")
        assert resource["error"] == "The receiver did not answer within 1 seconds."
        await told.writer.delete(SYSTEM, "Subscription", name)


async def test_what_is_given_up_is_its_owner_s_to_see_to_and_can_be_sent_after_all(
    told: Services, nurse: Actor
) -> None:
    async with receiving() as receiver:
        name = await active(told, subscription(receiver.url), nurse)
        receiver.status = 410
        await told.writer.write(SYSTEM, result_of("gro"))
        resource = await until_status(told, name, "off")
        assert resource["error"] == "The receiver answered 410."
        (letter,) = await told.subscriptions.dead_letters(nurse)
        assert (letter.subscription, letter.first_event, letter.last_event) == (name, 1, 1)
        assert (letter.owner_id, letter.owner_name) == (nurse.id, nurse.name)
        receiver.status = 200
        await told.subscriptions.retry(nurse, name)
        await receiver.until(1)
        async with asyncio.timeout(5):
            while await told.subscriptions.dead_letters(nurse):
                await asyncio.sleep(0.02)
        await told.writer.delete(nurse, "Subscription", name)


async def test_what_is_set_aside_is_not_sent_but_can_be_asked_for(told: Services) -> None:
    async with receiving() as receiver:
        name = await active(told, subscription(receiver.url))
        receiver.status = 503
        await told.writer.write(SYSTEM, result_of("gro"))
        await until_status(told, name, "error")
        await told.subscriptions.settle(SYSTEM, name)
        receiver.status = 200
        await told.subscriptions.retry(SYSTEM, name)
        await told.writer.write(SYSTEM, result_of("gro"))
        await receiver.until(2)
        assert receiver.numbers == [2]
        told_of = json.loads(await told.subscriptions.events(SYSTEM, name, 1, 1, None))
        assert [event["event-number"] for event in events_in(told_of)] == ["1"]
        await told.writer.delete(SYSTEM, "Subscription", name)


async def test_its_owner_is_told_of_those_whom_the_owner_may_see(
    told: Services, nurse: Actor, patient: Any, stay: Any
) -> None:
    other = {"reference": "Organization/other"}
    await told.writer.write(SYSTEM, patient("jon"))
    await told.writer.write(SYSTEM, stay("jon", serviceProvider=other))
    async with receiving() as receiver:
        name = await active(told, subscription(receiver.url), nurse)
        await told.writer.write(SYSTEM, result_of("jon"))
        mine = (await told.writer.write(SYSTEM, result_of("gro"))).stored.reference
        await receiver.until(1)
        await asyncio.sleep(0.2)
        assert [event["focus"] for event in receiver.events] == [mine]
        permit = await told.gate.open_chart(SYSTEM, "gro")
        trail = await told.gate.who_has_read(permit)
        by_it = [touch for touch in trail if touch.target.endswith(f"(Subscription/{name})")]
        assert [(touch.actor, touch.interaction) for touch in by_it] == [(nurse.id, "subscription")]
        assert by_it[0].target == f"{mine} (Subscription/{name})"
        await told.writer.delete(nurse, "Subscription", name)


async def test_when_the_right_has_ended_the_event_says_so_and_no_more(
    told: Services, nurse: Actor, patient: Any, stay: Any
) -> None:
    await told.writer.write(SYSTEM, patient("ida"))
    await told.writer.write(SYSTEM, stay("ida"))
    async with receiving() as receiver:
        name = await active(told, subscription(receiver.url, content="full-resource"), nurse)
        receiver.status = 503
        await told.writer.write(SYSTEM, result_of("ida"))
        while not receiver.refused:
            await asyncio.sleep(0.02)
        await told.writer.delete(SYSTEM, "Encounter", "stay-ida")
        receiver.status = 200
        await receiver.until(1)
        (bundle,) = receiver.of_kind("event-notification")
        assert len(bundle["entry"]) == 1
        assert events_in(bundle)[0].keys() == {"event-number", "timestamp"}
        assert "may no longer see" in said(bundle, "error")
        permit = await told.gate.open_chart(SYSTEM, "ida")
        newest = await told.gate.who_has_read(permit)
        assert ("subscription", True) in {(touch.interaction, touch.refused) for touch in newest}
        await told.writer.delete(nurse, "Subscription", name)


async def test_headers_are_sent_and_never_shown(told: Services, database: Database) -> None:
    secret = "Bearer do-not-tell-anyone"
    async with receiving() as receiver:
        asked = subscription(receiver.url, channel={"header": [f"Authorization: {secret}"]})
        name = await active(told, asked)
        assert receiver.headers[0]["authorization"] == secret
        stored = await told.subscriptions.open(SYSTEM, name)
        assert stored.resource["channel"]["header"] == ["Authorization: (kept secret)"]
        page = await told.history.of_instance(SYSTEM, "Subscription", name)
        assert all(secret.encode() not in version.json for version in page.versions)
        again = stored.resource | {"reason": "another"}
        await told.writer.write(SYSTEM, again, if_match=stored.version)
        await until_status(told, name, "active")
        await told.writer.write(SYSTEM, result_of("gro"))
        await receiver.until(1)
        assert {headers["authorization"] for headers in receiver.headers} == {secret}
        stored = await told.subscriptions.open(SYSTEM, name)
        elsewhere = dict(stored.resource["channel"]) | {"endpoint": "http://127.0.0.1:9/elsewhere"}
        with pytest.raises(Unprocessable, match="Send the headers again"):
            await told.writer.write(
                SYSTEM, stored.resource | {"channel": elsewhere}, if_match=stored.version
            )
        await told.writer.delete(SYSTEM, "Subscription", name)
        assert await database.fetchval("SELECT count(*) FROM subscription_header") == 0


async def test_a_subscription_is_its_owner_s_alone(
    told: Services, nurse: Actor, secretary: Actor
) -> None:
    async with receiving() as receiver:
        name = await active(told, subscription(receiver.url), nurse)
        stored = await told.subscriptions.open(nurse, name)
        assert [own.id for own in await told.subscriptions.open_own(nurse)] == [name]
        assert await told.subscriptions.open_own(secretary) == []
        assert await told.subscriptions.standings(secretary) == []
        for attempt in (
            told.subscriptions.open(secretary, name),
            told.gate.open_resource(secretary, "Subscription", name),
            told.subscriptions.standings(secretary, name),
            told.subscriptions.events(secretary, name, 1, 9, None),
            told.subscriptions.settle(secretary, name),
            told.writer.delete(secretary, "Subscription", name),
            told.writer.write(secretary, stored.resource, if_match=stored.version),
        ):
            with pytest.raises(Refused):
                await attempt
        await told.writer.delete(nurse, "Subscription", name)


async def test_a_stream_goes_on_where_its_reader_was(told: Services, nurse: Actor) -> None:
    system = "https://helsevev.example/fhir/CodeSystem/subscription-channel"
    kind = {"url": f"{IG}/backport-channel-type", "valueCoding": {"system": system, "code": "sse"}}
    asked = subscription("", channel={"_type": {"extension": [kind]}})
    del asked["channel"]["endpoint"]
    name = await active(told, asked, nurse)
    await told.writer.write(SYSTEM, result_of("gro"))
    async with asyncio.timeout(20):
        _, after = await told.streams.begin(nurse, name, None)
        following = told.streams.follow(nurse, name, after)
        assert (await anext(following)).number is None
        assert (await anext(following)).number == 1
        waiting = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0.1)
        second = (await told.writer.write(SYSTEM, result_of("gro"))).stored
        notice = await waiting
        assert notice.number == 2
        assert second.reference.encode() in notice.body
        await following.aclose()
        # It went away without having said that it had the second.
        _, after = await told.streams.begin(nurse, name, 1)
        following = told.streams.follow(nurse, name, after)
        await anext(following)
        assert (await anext(following)).number == 2
        await following.aclose()
        (standing,) = await told.subscriptions.standings(nurse, name)
        assert (standing.delivered, standing.last_event) == (1, 2)
    await told.writer.delete(nurse, "Subscription", name)


async def test_of_two_processes_one_sends_and_the_other_takes_over(
    told: Services, database: Database
) -> None:
    async with receiving() as receiver, running(database) as other:
        name = await active(told, subscription(receiver.url))
        await told.writer.write(SYSTEM, result_of("gro"))
        await receiver.until(1)
        assert [said(b, "type") for b in receiver.bundles].count("event-notification") == 1
        await told.notifier.stop()
        await told.writer.write(SYSTEM, result_of("gro"))
        await receiver.until(2)
        assert receiver.numbers == [1, 2]
        await other.notifier.stop()
        await told.notifier.start()
        await told.writer.write(SYSTEM, result_of("gro"))
        await receiver.until(3)
        await told.writer.delete(SYSTEM, "Subscription", name)


async def test_after_a_restore_what_had_not_become_an_event_still_does(
    told: Services, database: Database
) -> None:
    async with receiving() as receiver:
        name = await active(told, subscription(receiver.url))
        await told.writer.write(SYSTEM, result_of("gro"))
        await receiver.until(1)
        await told.notifier.stop()
        last = (await told.writer.write(SYSTEM, result_of("gro"))).stored.reference
        # As if the tables came from a server that had counted further.
        ahead = "(xid::text::bigint + 1000000000)"
        await database.execute(f"UPDATE change SET xid = {ahead}::text::xid8")
        await database.execute(f"UPDATE subscription_reader SET xid = {ahead}")
        await database.execute("UPDATE subscription SET from_xid = from_xid + 1000000000")
        await settle_restored(database)
        await database.execute(load("store")["settle_restored_changes"])
        await told.notifier.start()
        await receiver.until(2)
        assert receiver.events[-1]["focus"] == last
        await told.writer.delete(SYSTEM, "Subscription", name)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"criteria": f"{TOPIC}/weather"}, "Topics are"),
        ({"channel": {"endpoint": "https://elsewhere.example/hook"}}, "not among those"),
        ({"channel": {"endpoint": "http://10.0.0.1/hook"}}, "https address"),
        ({"channel": {"endpoint": "http://localhost@10.0.0.1/"}}, "names no user"),
        ({"channel": {"type": "email"}}, "Channels are rest-hook"),
        ({"channel": {"header": ["Authorization Bearer x"]}}, "Name: value"),
        ({"channel": {"header": ["Host: elsewhere"]}}, "set by the server"),
        ({"channel": {"payload": "application/fhir+xml"}}, "application/fhir.json"),
        ({"end": "2020-01-01T00:00:00Z"}, "It has ended"),
        ({"filters": ["Observation?value-quantity=gt5"]}, "not filtered by value-quantity"),
        ({"filters": ["Observation?code:in=http://x.example"]}, "code"),
        ({"filters": ["Encounter?patient=Patient/gro"]}, "not filtered by patient"),
        ({"filters": ["patient"]}, "A filter is"),
    ],
)
async def test_what_cannot_be_subscribed_to_is_refused_with_why(
    told: Services, change: dict[str, Any], words: str
) -> None:
    asked = subscription("http://127.0.0.1:9/hook", **change)
    with pytest.raises(Unprocessable, match=words):
        await told.writer.write(SYSTEM, asked, create=True)
    assert await told.subscriptions.standings(SYSTEM) == []


async def test_a_subscription_within_a_bundle_is_refused(told: Services) -> None:
    entry = {
        "resource": subscription("http://127.0.0.1:9/hook"),
        "request": {"method": "POST", "url": "Subscription"},
    }
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    with pytest.raises(Exception, match="sent by itself"):
        await told.bundles.transact(SYSTEM, bundle)
