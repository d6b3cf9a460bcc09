"""A snapshot is one moment: what is written meanwhile is in none of its pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from helsevev.access.actor import SYSTEM
from helsevev.access.services import Services
from helsevev.record.snapshot import Selection, Snapshot, opened_snapshot

Resource = dict[str, Any]


async def _ids(snapshot: Snapshot, selection: Selection) -> list[str]:
    return [f"{s.reference}/{s.version}" async for page in snapshot.pages(selection) for s in page]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that everything takes several."""
    monkeypatch.setattr("helsevev.record.snapshot.PAGE", 2)


async def test_what_is_written_meanwhile_is_in_no_page(
    services: Services, patient: Callable[..., Resource], pulse: Callable[..., Resource]
) -> None:
    database = services.gate.store.roles.owner
    for name in ("anna", "bo", "cato"):
        await services.writer.write(SYSTEM, patient(name))
        await services.writer.write(SYSTEM, pulse(name, id=f"pulse-{name}"))
    selection = Selection()
    async with opened_snapshot(database) as snapshot:
        before = await _ids(snapshot, selection)
        pages = snapshot.pages(selection)
        first = await anext(pages)
        await services.writer.write(SYSTEM, patient("dag"))
        await services.writer.write(SYSTEM, patient("bo", gender="male"), if_match=1)
        await services.writer.delete(SYSTEM, "Observation", "pulse-cato")
        rest = [stored async for page in pages for stored in page]
        assert [f"{s.reference}/{s.version}" for s in [*first, *rest]] == before
        assert await _ids(snapshot, selection) == before
    async with opened_snapshot(database) as snapshot:
        after = await _ids(snapshot, selection)
        deleted = [places async for places in snapshot.deletions(selection)]
    assert set(after) == (set(before) | {"Patient/dag/1", "Patient/bo/2"}) - {
        "Patient/bo/1",
        "Observation/pulse-cato/1",
    }
    assert deleted == [[("Observation", "pulse-cato")]]


async def test_pages_are_limited_by_their_bytes_and_miss_nothing(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helsevev.record.snapshot.PAGE", 100)
    async with opened_snapshot(services.gate.store.roles.owner) as snapshot:
        whole = await _ids(snapshot, Selection())
        monkeypatch.setattr("helsevev.record.snapshot.PAGE_BYTES", 1)
        pages = [page async for page in snapshot.pages(Selection())]
    assert [len(page) for page in pages] == [1] * len(whole)
    assert [f"{s.reference}/{s.version}" for page in pages for s in page] == whole


async def test_one_process_at_a_time_holds_a_job(services: Services) -> None:
    database = services.gate.store.roles.owner
    async with opened_snapshot(database) as one, opened_snapshot(database) as other:
        assert await one.lock("job")
        assert not await other.lock("job")
    async with opened_snapshot(database) as later:
        assert await later.lock("job")
