"""Unsigned texts: kept as typed, for their author alone, and never lost between windows."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.draft import StaleDraft
from helsevev.access.permit import Permit
from helsevev.access.services import Services


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def permit(services: Services, nurse: Actor, patient: Any, stay: Any) -> Permit:
    await services.writer.write(SYSTEM, patient("jorunn"))
    await services.writer.write(SYSTEM, stay("jorunn"))
    return await services.gate.open_chart(nurse, "jorunn")


async def test_a_draft_is_there_when_one_comes_back(services: Services, permit: Permit) -> None:
    content = {"text": "Sover godt. «Æøå» 😀 \\u0000", "coded": [1, None, True]}
    saved = await services.drafts.save(permit, "note", "back", content)
    assert saved.revision == 1
    [found] = [d for d in await services.drafts.of(permit) if d.key == "back"]
    assert (found.kind, found.revision, found.content) == ("note", 1, content)


async def test_of_two_windows_the_second_sees_what_the_first_saved(
    services: Any, permit: Any
) -> None:
    first = await services.drafts.save(permit, "note", "two", {"text": "a"})
    await services.drafts.save(permit, "note", "two", {"text": "a b"}, first.revision)
    with pytest.raises(StaleDraft) as told:
        await services.drafts.save(permit, "note", "two", {"text": "a c"}, first.revision)
    assert (told.value.current.revision, told.value.current.content) == (2, {"text": "a b"})
    with pytest.raises(StaleDraft):
        await services.drafts.save(permit, "note", "two", {"text": "new"})
    await services.drafts.save(permit, "note", "two", {"text": "a b c"}, 2)


async def test_of_many_windows_at_once_one_saves(services: Any, permit: Any) -> None:
    saving = [services.drafts.save(permit, "note", "many", {"text": str(n)}) for n in range(8)]
    done = await asyncio.gather(*saving, return_exceptions=True)
    assert sum(not isinstance(result, Exception) for result in done) == 1
    assert all(isinstance(r, StaleDraft) for r in done if isinstance(r, Exception))


async def test_what_the_last_window_keeps_is_what_stands(services: Any, permit: Any) -> None:
    first = await services.drafts.keep(permit, "note", "last", {"text": "a"})
    assert (first.revision, first.content) == (1, {"text": "a"})
    keeping = [services.drafts.keep(permit, "note", "last", {"text": str(n)}) for n in range(8)]
    kept = await asyncio.gather(*keeping)
    assert sorted(each.revision for each in kept) == list(range(2, 10))
    last = max(kept, key=lambda each: each.revision)
    assert await services.drafts.one(permit, "note", "last") == last


async def test_a_draft_is_for_its_author_alone(services: Any, permit: Any, nurse: Any) -> None:
    await services.drafts.save(permit, "note", "mine", {"text": "thinking"})
    colleague = replace(nurse, id="Practitioner/colleague")
    theirs = await services.gate.open_chart(colleague, "jorunn")
    assert await services.drafts.of(theirs) == []
    await services.drafts.discard(theirs, "note", "mine")
    assert "mine" in {draft.key for draft in await services.drafts.of(permit)}
    own = await services.drafts.save(theirs, "note", "mine", {"text": "other"})
    assert own.revision == 1


async def test_what_is_typed_after_signing_elsewhere_is_kept_as_new(
    services: Any, permit: Any
) -> None:
    await services.drafts.save(permit, "note", "signed", {"text": "a"})
    await services.drafts.discard(permit, "note", "signed")
    kept = await services.drafts.save(permit, "note", "signed", {"text": "a and more"}, 1)
    assert kept.revision == 1


async def test_a_character_no_text_holds_does_not_stop_the_saving(
    services: Any, permit: Any
) -> None:
    await services.drafts.save(permit, "note", "nul", {"te\0xt": ["a\0b", {"c": "\0"}]})
    [found] = [d for d in await services.drafts.of(permit) if d.key == "nul"]
    assert found.content == {"text": ["ab", {"c": ""}]}
