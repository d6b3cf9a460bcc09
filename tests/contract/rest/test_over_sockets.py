"""The same API behind a real HTTP server: bodies too large, clients that stop, odd requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn

from helsevev.kit.joined_writes import JoinedWrites

from .conftest import Api

MEGABYTE = 1024 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def address(api: Api) -> AsyncIterator[tuple[str, int]]:
    config = uvicorn.Config(
        api.application, port=0, log_level="warning", lifespan="off", ws="none", access_log=False,
        http=JoinedWrites,
    )  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[:2]
    server.should_exit = True
    await running


@pytest_asyncio.fixture(loop_scope="session")
async def client(api: Api, address: tuple[str, int]) -> AsyncIterator[httpx.AsyncClient]:
    headers = {
        "authorization": f"Bearer {api.tokens['system']}",
        "content-type": "application/fhir+json",
    }
    url = f"http://{address[0]}:{address[1]}/fhir/"
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as opened:
        yield opened


async def test_a_body_of_50_megabytes_is_told_to_be_too_large(
    client: httpx.AsyncClient, nothing_stored: Any
) -> None:
    huge = b'{"resourceType":"Patient","text":{"div":"' + b"a" * (50 * MEGABYTE) + b'"}}'
    for path in ("Patient", ""):
        response = await client.post(path, content=huge)
        assert response.status_code == 413
        assert response.json()["issue"][0]["code"] == "too-long"
    assert (await client.get("metadata")).status_code == 200


async def test_a_client_that_stops_halfway_stores_nothing(
    api: Api, address: tuple[str, int], client: httpx.AsyncClient, nothing_stored: Any
) -> None:
    for start in (
        b"POST /fhir/Patient HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n"
        b"authorization: Bearer %s\r\n\r\n{" % api.tokens["system"].encode(),
        b"POST /fhir/Patient HTTP/1.1\r\nhost: x\r\ncont",
        b"GARBAGE\r\n\r\n",
    ):
        _, writer = await asyncio.open_connection(*address)
        writer.write(start)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    assert (await client.get("metadata")).status_code == 200


@pytest.mark.parametrize(
    "line",
    [
        b"GET /fhir/Patient/%00 HTTP/1.1",
        b"GET /fhir/Patient/a%2Fb HTTP/1.1",
        b"GET /fhir/Patient/\xc3\xa5 HTTP/1.1",
        b"GET /fhir/../../etc/passwd HTTP/1.1",
        b"GET /fhir/Patient?name=%ed%a0%80 HTTP/1.1",
        b"GET /fhir/Patient?" + b"a" * 60_000 + b" HTTP/1.1",
        b"GET /fhir/" + b"a" * 60_000 + b" HTTP/1.1",
        b"TRACE /fhir/Patient HTTP/1.1",
    ],
)
async def test_odd_requests_are_refused(
    line: bytes, api: Api, address: tuple[str, int], nothing_stored: Any
) -> None:
    reader, writer = await asyncio.open_connection(*address)
    token = api.tokens["system"].encode()
    writer.write(line + b"\r\nhost: x\r\nauthorization: Bearer " + token + b"\r\n\r\n")
    await writer.drain()
    status = (await asyncio.wait_for(reader.readline(), 10)).split(b" ")[1]
    writer.close()
    await writer.wait_closed()
    assert status.startswith(b"4"), status


async def test_many_requests_on_one_connection(client: httpx.AsyncClient) -> None:
    created = await client.post("Patient", json={"resourceType": "Patient"})
    place = f"Patient/{created.json()['id']}"
    for _ in range(20):
        assert (await client.get(place)).status_code == 200
        assert (await client.head(place)).headers["content-length"] != "0"
        etag = {"if-none-match": 'W/"1"'}
        assert (await client.get(place, headers=etag)).status_code == 304
    assert (await client.delete(place)).status_code == 204
    assert (await client.get(place)).status_code == 410
