"""Parameters, versions and bodies of a request, within their limits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, MutableMapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.access.actor import SYSTEM
from helsevev.fhir_api import body
from helsevev.fhir_api.body import body_reader
from helsevev.fhir_api.problem import Problem
from helsevev.fhir_api.request import NO_SUCH_VERSION, Request, parse_parameters


def request(query: str = "", **headers: str) -> Request:
    async def nothing(_limit: int) -> bytes:
        return b""

    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return Request(SYSTEM, "GET", ("Patient", "1"), query, named, "http://x/fhir", nothing)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("a=1&a=2&b=", [("a", "1"), ("a", "2"), ("b", "")]),
        ("code=a%7Cb,c&name=%C3%A5+b", [("code", "a|b,c"), ("name", "å b")]),
        ("flag", [("flag", "")]),
        ("a=1;b=2", [("a", "1;b=2")]),
    ],
)
def test_parameters_keep_their_order(query: str, expected: list[tuple[str, str]]) -> None:
    assert parse_parameters(query) == expected


@pytest.mark.parametrize(
    ("query", "status"),
    [("a=%00", 400), ("%0A=a", 400), ("a=%FF", 400), ("a=%ED%A0%80", 400), ("a" * 20_000, 414),
     ("&".join(["a=1"] * 500), 400)],
)  # fmt: skip
def test_parameters_that_cannot_be_read_are_refused(query: str, status: int) -> None:
    with pytest.raises(Problem) as told:
        parse_parameters(query)
    assert told.value.status == status


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=60))
def test_any_query_is_read_or_refused(query: str) -> None:
    with suppress(Problem):
        parse_parameters(query)


@pytest.mark.parametrize(
    ("header", "version"),
    [('W/"3"', 3), ('"3"', 3), ("3", 3), ('W/"abc"', NO_SUCH_VERSION), ('W/""', NO_SUCH_VERSION),
     ('W/"03"', NO_SUCH_VERSION), ('W/"9999999999999"', NO_SUCH_VERSION)],
)  # fmt: skip
def test_if_match_names_a_version(header: str, version: int) -> None:
    assert request(if_match=header).if_match == version


@pytest.mark.parametrize("header", ['W/"1', 'W/"1", W/"2"', "*", "w/x/y"])
def test_if_match_that_names_no_version_is_refused(header: str) -> None:
    with pytest.raises(Problem):
        _ = request(if_match=header).if_match


def test_unknown_parameters_are_refused_unless_lenient() -> None:
    request("_pretty=true&_count=1").refuse_parameters("_count")
    with pytest.raises(Problem, match="colour"):
        request("colour=red").refuse_parameters()
    request("colour=red", prefer="handling=lenient").refuse_parameters()


def reading(parts: Iterable[bytes], limit: int, **headers: str) -> bytes:
    messages: list[MutableMapping[str, Any]] = [
        {"type": "http.request", "body": part, "more_body": True} for part in parts
    ]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> MutableMapping[str, Any]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return asyncio.run(body_reader(named, receive)(limit))


def test_a_body_is_read_up_to_its_limit() -> None:
    assert reading([b"ab", b"cd"], 4) == b"abcd"
    with pytest.raises(Problem) as told:
        reading([b"ab", b"cde"], 4)
    assert told.value.status == 413


def test_a_body_that_says_it_is_too_large_is_not_kept() -> None:
    with pytest.raises(Problem) as told:
        reading([b"a"], 4, content_length="500")
    assert told.value.status == 413


def test_a_client_that_asks_before_sending_is_answered_before_it_sends() -> None:
    async def receive() -> MutableMapping[str, Any]:
        raise AssertionError("the body must not be asked for")

    headers = {b"content-length": b"500", b"expect": b"100-continue"}
    with pytest.raises(Problem) as told:
        asyncio.run(body_reader(headers, receive)(4))
    assert told.value.status == 413


def test_endless_bodies_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "MOST_DISCARDED", 100)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"x" * 30, "more_body": True}

    with pytest.raises(Problem) as told:
        asyncio.run(body_reader({}, receive)(10))
    assert told.value.status == 413


def test_a_client_that_is_too_slow_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "SLOWEST", 0.01)

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.sleep(10)
        return {"type": "http.disconnect"}

    with pytest.raises(Problem) as told:
        asyncio.run(body_reader({}, receive)(10))
    assert told.value.status == 408


def test_a_client_that_goes_away_is_no_body() -> None:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(Problem) as told:
        asyncio.run(body_reader({}, receive)(10))
    assert told.value.status == 400
