"""What all tests stand on: a real PostgreSQL, started as the program starts it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from hypothesis import settings

from helsevev.record.database import Database
from helsevev.record.embedded import embedded
from helsevev.record.migration import migrate

REPOSITORY = Path(__file__).parent.parent
# Tests make their own folders, databases and ports, whatever the shell is set to.
for _setting in ("HELSEVEV_DATA", "HELSEVEV_DATABASE_URL", "HELSEVEV_PORT", "PORT"):
    os.environ.pop(_setting, None)
# What a property says must hold on a busy machine too; how fast it is, bench/ tells.
settings.register_profile("helsevev", deadline=None)
settings.load_profile("helsevev")
# Processes that share a server share no database.
_TEMPLATE = f"record_template_{os.getpid()}"
_numbers = count(1)
MadeDatabase = Callable[[str], AbstractAsyncContextManager[str]]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real input that lies beside the repository: HELSEVEV_SHARED, or ../shared."""
    folder = Path(os.environ.get("HELSEVEV_SHARED") or REPOSITORY.parent / "shared")
    if not (folder / "data").is_dir():
        pytest.skip(f"There is no real input in {folder}; HELSEVEV_SHARED can name its folder.")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str | None:
    """The browser to drive: HELSEVEV_CHROMIUM, the system's, or None for Playwright's own."""
    return os.environ.get("HELSEVEV_CHROMIUM") or shutil.which("chromium")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The server's URL: HELSEVEV_TEST_DATABASE_URL, or an embedded one for this run."""
    if named := os.environ.get("HELSEVEV_TEST_DATABASE_URL"):
        yield named
        return
    async with embedded(tmp_path_factory.mktemp("data")) as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(server_url: str) -> AsyncIterator[str]:
    """The name of a migrated, empty database that others are copied from."""
    server = await Database.open(server_url, size=1)
    await server.execute(f"DROP DATABASE IF EXISTS {_TEMPLATE}")
    await server.execute(f"CREATE DATABASE {_TEMPLATE}")
    database = await Database.open(_named(server_url, _TEMPLATE), size=1)
    await migrate(database)
    await database.close()
    yield _TEMPLATE
    await server.execute(f"DROP DATABASE {_TEMPLATE} WITH (FORCE)")
    await server.close()


@pytest.fixture(scope="session")
def name_database() -> Callable[[str, str], str]:
    """Give a server's URL for another database on it."""
    return _named


@pytest.fixture(scope="session")
def made_database(server_url: str) -> MadeDatabase:
    """Makes a database, a copy of one by name, empty of "template1"; gives its URL, drops it."""

    @asynccontextmanager
    async def made(template: str) -> AsyncIterator[str]:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        server = await Database.open(server_url, size=1)
        await server.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield _named(server_url, name)
        finally:
            await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
            await server.close()

    return made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database_url(made_database: MadeDatabase, template: str) -> AsyncIterator[str]:
    """The URL of a fresh, migrated database of this test module's own."""
    async with made_database(template) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    """Connections to a fresh, migrated database of this test module's own."""
    opened = await Database.open(database_url, size=8)
    yield opened
    await opened.close()


def _named(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()
