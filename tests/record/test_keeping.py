"""A class begins anew: the record as it was kept, whole, in seconds, whatever was interrupted."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from helsevev.access import training
from helsevev.access.actor import SYSTEM
from helsevev.access.services import services_over
from helsevev.kit.settings import Settings
from helsevev.record import keeping
from helsevev.record.database import Database
from helsevev.record.keeping import CannotKeep


@pytest_asyncio.fixture
async def server(server_url: str) -> AsyncIterator[Database]:
    """The server's own database, to look at the others from."""
    opened = await Database.open(server_url, size=1)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def url(
    server: Database, server_url: str, template: str, name_database: Callable[[str, str], str]
) -> AsyncIterator[str]:
    """A record that a test may keep and put back."""
    name = f"class_{os.getpid()}"
    await server.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield name_database(server_url, name)
    for each in (name, f"{name}_kept", f"{name}_coming", f"{name}_gone"):
        await server.execute(f"DROP DATABASE IF EXISTS {each} WITH (FORCE)")


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    """Settings that name that record."""
    return Settings(data=tmp_path, database_url=url)


async def _write(url: str, patient: dict[str, Any]) -> None:
    database = await Database.open(url, size=2)
    services = services_over(database, {})
    await services.writer.write(SYSTEM, patient)
    await services.credentials.issue_token(SYSTEM)
    await database.close()


async def _seen(url: str) -> dict[str, Any]:
    database = await Database.open(url, size=1)
    found = {
        "patients": [row[0] for row in await database.fetch(
            "SELECT id FROM resource WHERE type = 'Patient' ORDER BY id")],
        "tokens": await database.fetchval("SELECT count(*) FROM api_token"),
        "resets": await database.fetchval(
            "SELECT count(*) FROM audit_event WHERE action = 'reset'"),
    }  # fmt: skip
    await database.close()
    return found


async def _others(server: Database, settings: Settings) -> list[str]:
    like = f"{(settings.database_url or '').rsplit('/', 1)[-1].split('?')[0]}%"
    rows = await server.fetch(
        "SELECT datname FROM pg_database WHERE datname LIKE $1 ORDER BY 1", like
    )
    return [row[0].partition("_")[2].partition("_")[2] for row in rows]


async def test_what_was_written_since_is_gone_and_the_rest_is_whole(
    settings: Settings, url: str, server: Database, patient: Any
) -> None:
    await _write(url, patient("kept"))
    await training.keep(settings)
    await _write(url, patient("since"))
    assert (await _seen(url))["patients"] == ["kept", "since"]
    await training.reset(settings)
    assert await _seen(url) == {"patients": ["kept"], "tokens": 0, "resets": 1}
    await _write(url, patient("again"))
    await training.reset(settings)
    assert await _seen(url) == {"patients": ["kept"], "tokens": 0, "resets": 1}
    assert await _others(server, settings) == ["", "kept"]


async def test_a_record_is_kept_anew_in_place_of_what_was_kept(
    settings: Settings, url: str, patient: Any
) -> None:
    await training.keep(settings)
    await _write(url, patient("later"))
    await training.keep(settings)
    await _write(url, patient("since"))
    await training.reset(settings)
    assert (await _seen(url))["patients"] == ["later"]


async def test_nothing_is_put_back_where_nothing_was_kept(settings: Settings, url: str) -> None:
    assert not await keeping.is_kept(url)
    with pytest.raises(CannotKeep, match="region keep"):
        await training.reset(settings)


async def test_a_record_in_use_stays_as_it_is(settings: Settings, url: str, patient: Any) -> None:
    await training.keep(settings)
    await _write(url, patient("since"))
    using = await Database.open(url, size=1)
    with pytest.raises(CannotKeep, match="Stop the server"):
        await training.reset(settings)
    await using.close()
    assert (await _seen(url))["patients"] == ["since"]


@pytest.mark.parametrize("step", ["forget_visitors", "drop"])
async def test_a_reset_that_dies_leaves_the_old_record_or_the_new_and_can_be_done_again(
    settings: Settings, url: str, server: Database, patient: Any, step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await _write(url, patient("kept"))
    await training.keep(settings)
    await _write(url, patient("since"))
    calls = {"forget_visitors": 1, "drop": 3}

    class Dying(dict[str, str]):
        """Statements of which one breaks off at the last time it is asked for."""

        left = calls[step]

        def __getitem__(self, name: str) -> str:
            if name == step:
                Dying.left -= 1
                if Dying.left == 0:
                    raise KeyboardInterrupt
            return super().__getitem__(name)

    with monkeypatch.context() as patched:
        patched.setattr(keeping, "_SQL", Dying(keeping._SQL))
        with pytest.raises(KeyboardInterrupt):
            await training.reset(settings)
    # Only the last step comes after the change of names.
    expected = ["kept"] if step == "drop" else ["kept", "since"]
    assert (await _seen(url))["patients"] == expected
    await training.reset(settings)
    assert await _seen(url) == {"patients": ["kept"], "tokens": 0, "resets": 1}
    assert await _others(server, settings) == ["", "kept"]


async def test_a_role_that_may_not_make_databases_is_told_what_it_needs(
    settings: Settings, server: Database, url: str, tmp_path: Path
) -> None:
    role = f"pupil_{os.getpid()}"
    await server.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pupil'")
    try:
        name = urlsplit(url).path.removeprefix("/")
        await server.execute(f"ALTER DATABASE {name} OWNER TO {role}")
        head, _, rest = url.partition("@")
        scheme = head.partition("://")[0]
        with pytest.raises(CannotKeep, match="CREATEDB"):
            await keeping.keep(f"{scheme}://{role}:pupil@{rest}")
    finally:
        await server.execute(f"REASSIGN OWNED BY {role} TO CURRENT_USER")
        await server.execute(f"ALTER DATABASE {name} OWNER TO CURRENT_USER")
        await server.execute(f"DROP ROLE {role}")
