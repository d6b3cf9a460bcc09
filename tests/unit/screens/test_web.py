"""Every answer carries the policy, and problems are told plainly."""

from __future__ import annotations

import pytest
from litestar import Litestar, get
from litestar.exceptions import InternalServerException, NotFoundException
from litestar.testing import TestClient

from helsevev.kit.web import add_security_headers, problem_handlers, secure_headers
from helsevev.screens.chapter import CHAPTER
from helsevev.screens.problems import problem_page
from helsevev.screens.static_files import asset


@get("/broken", opt={"decision": "public"}, sync_to_thread=False)
def broken() -> str:
    """Fail as a programming error does."""
    raise RuntimeError("the secret detail")


@get("/missing", opt={"decision": "public"}, sync_to_thread=False)
def missing() -> str:
    """Refuse as a page does."""
    raise NotFoundException("an internal reason")


@get("/abandoned", opt={"decision": "public"}, sync_to_thread=False)
def abandoned() -> str:
    """Find, as Litestar does while it reads a form, that the browser has gone."""
    raise InternalServerException("client disconnected prematurely")


@pytest.fixture
def client() -> TestClient[Litestar]:
    app = Litestar(
        [*CHAPTER.routes, broken, missing, abandoned],
        before_send=[add_security_headers],
        exception_handlers=problem_handlers(problem_page),
        openapi_config=None,
    )
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    "path", ["/style", "/broken", "/missing", "/nowhere", "/static/nothing.css"]
)
def test_every_answer_carries_the_policy(client: TestClient[Litestar], path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["app.css", "app.js", "early.js", "mark.svg"])
def test_a_built_asset_may_be_kept_for_ever_and_travels_small(
    client: TestClient[Litestar], name: str
) -> None:
    if asset(name) == f"/static/{name}":
        pytest.skip("The assets are not built: make assets builds them.")
    answer = client.get(asset(name))
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert (
        client.get(asset(name), headers={"Accept-Encoding": "identity"}).content == answer.content
    )


@pytest.mark.parametrize(
    "name", ["manifest.json", ".stamp", "..%2Fchapter.py", "%2e%2e/chapter.py"]
)
def test_nothing_but_built_assets_is_served(client: TestClient[Litestar], name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_only_an_encrypted_answer_demands_encryption() -> None:
    assert b"strict-transport-security" not in dict(secure_headers([], https=False))
    assert b"strict-transport-security" in dict(secure_headers([], https=True))


def test_what_a_handler_set_itself_stays() -> None:
    assert b"cache-control" not in dict(secure_headers([b"Cache-Control"], https=False))


def test_a_failure_says_what_was_kept_and_never_how_it_failed(client: TestClient[Litestar]) -> None:
    answer = client.get("/broken")
    assert answer.status_code == 500
    assert "Noe sviktet hos oss." in answer.text
    assert "er lagret" in answer.text
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text


def test_a_problem_in_a_fragment_stands_above_what_was_there(client: TestClient[Litestar]) -> None:
    answer = client.get("/missing", headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert answer.headers["hx-reswap"] == "afterbegin"
    assert "<html" not in answer.text
    assert "an internal reason" not in answer.text


def test_a_request_that_its_browser_gave_up_is_no_incident(
    client: TestClient[Litestar], caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/abandoned").status_code == 400
    assert client.get("/broken").status_code == 500
    assert [each.getMessage().partition(": ")[2] for each in caplog.records
            if each.name == "helsevev.web"] == ["GET /broken"]  # fmt: skip
