"""Content is changed, reviewed by another, released, kept, and known to every process."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import pytest_asyncio

from helsevev.access.actor import Actor
from helsevev.access.content_changes import ContentChanges
from helsevev.access.content_releases import ContentReleases
from helsevev.access.errors import Conflict, Invalid, Refused
from helsevev.access.packs import USED_AT, Packs, Release, Standing, editions_of, today
from helsevev.access.services import Services
from helsevev.content.packs.pack import PAGE
from helsevev.content.packs.shelf import Archive, Edition, built_in
from helsevev.content.packs.value_sets import ValueSet
from helsevev.kit import clock
from helsevev.record.database import Database

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOWN = "Organization/town"
PATH = "value_sets/trial-skin.toml"
ITEM = """
title = "Hudtyper"
version = "{version}"
source = ["Prøve"]

[[include]]
system = "http://snomed.info/sct"
code = [{{code = "{code}", display = "Hud"}}]
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def changes(services: Services) -> ContentChanges:
    return ContentChanges(ContentReleases(services.gate, services.packs))


@pytest.fixture(scope="module")
def author(nurse: Actor) -> Actor:
    """A nurse who keeps the content of nurses."""
    return replace(
        nurse, id="Practitioner/author", name="Aud Aas", role="Fagansvarlig",
        organisations=("Organization/home-care", TOWN),
    )  # fmt: skip


@pytest.fixture(scope="module")
def second(author: Actor) -> Actor:
    """Her colleague."""
    return replace(author, id="Practitioner/second", name="Siv Sund")


async def released(
    changes: ContentChanges, author: Actor, second: Actor, text: str | None, place: str = ""
) -> int:
    """What two people do to put a file in force."""
    made = await changes.start(author, "nursing", f"Hudtyper {text}", place)
    change = await changes.one(made)
    await changes.save(author, change, {PATH: text})
    await changes.submit(author, await changes.one(made), "Se på den.")
    await changes.approve(second, await changes.one(made), "Ser bra ut.")
    return await changes.release(author, await changes.one(made), "")


async def in_force(packs: Packs, actor: Actor | None = None) -> str:
    """The version of the trial's value set that is used."""
    found = (await packs.current(actor)).one(ValueSet, "trial-skin")
    return "" if found is None else found.version


async def test_what_comes_with_the_program_is_kept_once_for_when_it_is_replaced(
    database: Database,
) -> None:
    packs = Packs(database)
    await packs.keep_built_in()
    await packs.keep_built_in()
    archive = (await packs.standing()).archive
    for each in editions_of(built_in()):
        kept = archive.one(each.folder, each.key, each.version)
        assert kept is not None
        assert kept.text == each.text
    shelf = await packs.current()
    assert {each.key for each in shelf.packs} == {each.key for each in built_in()}
    assert await packs.current() is shelf


async def test_who_does_not_keep_the_content_of_the_profession_changes_nothing(
    changes: ContentChanges, nurse: Actor, author: Actor
) -> None:
    for actor, pack, place in (
        (nurse, "nursing", ""), (author, "medicine", ""),
        (author, "nursing", "Organization/another-town"),
    ):  # fmt: skip
        with pytest.raises(Refused):
            await changes.start(actor, pack, "Hudtyper", place)


async def test_a_release_needs_a_second_person_and_every_process_knows_it_within_two_seconds(
    changes: ContentChanges, author: Actor, second: Actor, services: Services, database: Database
) -> None:
    other = Packs(database)
    assert await in_force(other) == ""
    made = await changes.start(author, "nursing", "Ny verdi")
    await changes.save(
        author, await changes.one(made), {PATH: ITEM.format(version="1.0.0", code=1)}
    )
    await changes.submit(author, await changes.one(made), "")
    with pytest.raises(Conflict, match="godkjenner"):
        await changes.approve(author, await changes.one(made), "")
    with pytest.raises(Conflict):
        await changes.release(author, await changes.one(made), "")
    await changes.approve(second, await changes.one(made), "Ja.")
    await changes.release(author, await changes.one(made), "")
    began = time.monotonic()
    while await in_force(other) != "1.0.0":
        assert time.monotonic() - began < 2
    assert await in_force(services.packs) == "1.0.0"
    newest = (await services.packs.standing()).releases[-1]
    assert (newest.released_by, newest.reviewed_by) == (author.id, second.id)
    lines = [each.act for each in await changes.lines(made)]
    assert lines == ["start", "save", "review", "approved", "released"]


async def test_an_approval_holds_for_what_was_read_and_not_for_what_is_written_after(
    changes: ContentChanges, author: Actor, second: Actor
) -> None:
    made = await changes.start(author, "nursing", "Skrevet etterpå")
    await changes.save(
        author, await changes.one(made), {PATH: ITEM.format(version="1.5.0", code=1)}
    )
    await changes.submit(author, await changes.one(made), "")
    await changes.approve(second, await changes.one(made), "")
    seen = await changes.one(made)
    await changes.save(author, seen, {PATH: ITEM.format(version="1.5.0", code=2)})
    with pytest.raises(Conflict):
        await changes.release(author, await changes.one(made), "")
    with pytest.raises(Conflict):
        await changes.save(author, seen, {PATH: "an older page"})
    await changes.drop(author, await changes.one(made), "")
    assert made not in [each.id for each in await changes.under_way()]


async def test_one_version_is_one_text_for_good(
    changes: ContentChanges, author: Actor, second: Actor, services: Services
) -> None:
    text = ITEM.format(version="1.0.0", code=77)
    with pytest.raises(Invalid, match="øk versjonen"):
        await released(changes, author, second, text)
    assert await in_force(services.packs) == "1.0.0"


async def test_a_town_has_its_own_where_its_people_work_and_gives_it_up_again(
    changes: ContentChanges, author: Actor, second: Actor, nurse: Actor, services: Services
) -> None:
    own = ITEM.format(version="1.0.0-town.1", code=8)
    await released(changes, author, second, own, TOWN)
    assert await in_force(services.packs, author) == "1.0.0-town.1"
    assert (await services.packs.current(author)).local_of(ValueSet, "trial-skin") == TOWN
    assert await in_force(services.packs, nurse) == "1.0.0"
    # Pages need not say where their reader works.
    mark = USED_AT.set(author.organisations)
    assert await in_force(services.packs) == "1.0.0-town.1"
    USED_AT.reset(mark)
    await changes.releases.roll_back(author, "nursing", TOWN, 0, "Trengs ikke lenger.")
    assert await in_force(services.packs, author) == "1.0.0"


async def test_a_release_is_taken_back_at_once_and_its_versions_are_kept(
    changes: ContentChanges, author: Actor, second: Actor, services: Services
) -> None:
    before = (await services.packs.standing()).in_force("nursing", "", today())
    assert before is not None
    await released(changes, author, second, ITEM.format(version="2.0.0", code=9))
    assert await in_force(services.packs) == "2.0.0"
    with pytest.raises(Invalid):
        await changes.releases.roll_back(author, "nursing", "", before.number, " ")
    await changes.releases.roll_back(author, "nursing", "", before.number, "Feil poeng.")
    assert await in_force(services.packs) == "1.0.0"
    kept = (await services.packs.current()).version(ValueSet, "trial-skin", "2.0.0")
    assert kept is not None
    await changes.releases.roll_back(author, "nursing", "", 0, "Tilbake til programmets.")
    assert await in_force(services.packs) == ""


async def test_two_who_change_the_same_file_do_not_undo_each_other(
    changes: ContentChanges, author: Actor, second: Actor
) -> None:
    slow = await changes.start(author, "nursing", "Langsom")
    await changes.save(
        author, await changes.one(slow), {PATH: ITEM.format(version="3.1.0", code=1)}
    )
    await released(changes, author, second, ITEM.format(version="3.0.0", code=3))
    await changes.submit(author, await changes.one(slow), "")
    await changes.approve(second, await changes.one(slow), "")
    with pytest.raises(Conflict, match=PATH):
        await changes.release(author, await changes.one(slow), "")


async def test_what_this_program_cannot_read_is_not_in_force_and_is_named() -> None:
    texts = {"good": ITEM.format(version="1.0.0", code=1), "bad": 'title = "x"\nspell = "fire"'}
    archive = Archive(
        Edition(folder="value_sets", key=key, version="1.0.0", pack="nursing",
                path=f"value_sets/{key}.toml", text=text)
        for key, text in texts.items()
    )  # fmt: skip
    page = next(each for each in built_in() if each.key == "nursing").files[PAGE]
    items = {f"value_sets/{key}.toml": "1.0.0" for key in texts}
    by = (clock.now(), "", "Aud Aas", "", "Siv Sund")
    release = Release(1, "", "nursing", "1.0.0", today(), page, items, "Ny", None, *by)
    standing = Standing(1, [release], archive)
    assert set(standing.shelf((), today()).all(ValueSet)) >= {"good"}
    assert "bad" not in standing.shelf((), today()).all(ValueSet)
    assert list(standing.unreadable) == ["nursing/value_sets/bad.toml"]
