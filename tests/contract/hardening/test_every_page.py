"""Every route of the pages, none left out: headers, policy, forged requests, where they lead."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.exceptions import LitestarDeprecationWarning

from helsevev.access.actor import SYSTEM
from helsevev.access.identity.door import local
from helsevev.main import build_app

from .conftest import PERSONAS, Site

EVIL = "evil.example"
FIELDS = (
    "text", "find", "q", "next", "persona", "ground", "reason", "role", "unit", "person", "pin",
    "code", "patient", "name", "note", "question", "state", "credential", "title", "draft",
    "version", "client_id", "redirect_uri", "scope", "token", "message", "value", "again",
)  # fmt: skip
LED_ASTRAY = [
    f"//{EVIL}", f"https://{EVIL}", f"/\\{EVIL}", f"\\\\{EVIL}", f"/\t/{EVIL}", f"/\n/{EVIL}",
    f"/%09/{EVIL}", f"///{EVIL}", f"javascript://{EVIL}/%0aalert(1)", f" //{EVIL}", f"/\t\\{EVIL}",
    f"https:{EVIL}", f"/..//{EVIL}", f"@{EVIL}", f"/\x00/{EVIL}",
]  # fmt: skip


async def test_no_form_is_taken_without_the_token_of_its_own_page(site: Site) -> None:
    browser = site.browsers["hospital-doctor"]
    open_to_programs = set()
    taken = []
    for method, path, handler in site.routes():
        if method == "GET":
            continue
        if handler.opt.get("exclude_from_csrf"):
            open_to_programs.add((path, handler.opt["decision"]))
            continue
        for headers in ({}, {"x-csrf-token": "0" * 96}):
            answer = await browser.request(method, path, headers=headers, data={"next": "/"})
            if answer.status_code != 403:
                taken.append((method, path, answer.status_code))
    assert taken == []
    # These read no cookie: a token, an assertion, or nothing is decided by them.
    assert {path for path, decision in open_to_programs if decision != "token"} <= {
        "/auth/authorize"
    }


async def test_a_token_made_for_one_browser_is_worth_nothing_in_another(site: Site) -> None:
    other = await site.signed_in("secretary")
    await other.get("/")
    token = other.cookies["csrftoken"]
    answer = await site.browsers["hospital-doctor"].post("/lock", headers={"x-csrf-token": token})
    assert answer.status_code == 403


async def test_no_method_is_taken_for_another(site: Site) -> None:
    browser = site.browsers["hospital-doctor"]
    for name in ("x-http-method-override", "x-method-override", "x-http-method"):
        answer = await browser.get("/sign-out", headers={name: "POST"})
        assert answer.status_code == 405
    assert (await browser.get("/", params={"_method": "POST"})).status_code == 200


@pytest.mark.parametrize("persona", PERSONAS)
async def test_every_page_forbids_frames_and_foreign_and_inline_code(
    site: Site, persona: str
) -> None:
    seen = 0
    for method, path, _ in site.routes():
        if method != "GET" or path.endswith("/live"):
            continue
        answer = await site.browsers[persona].get(path)
        told = answer.headers
        policy = told["content-security-policy"]
        assert answer.status_code < 500, path
        assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(policy.split("; ")), path
        # Those that read codes by a camera compile WebAssembly of ours; nobody evaluates scripts.
        assert "wasm-unsafe-eval" not in policy or re.fullmatch(r"/rounds(/[^/]+)?", path), path
        assert not re.search(r"(?<!wasm-)unsafe|\*", policy), path
        assert told["x-content-type-options"] == "nosniff", path
        assert told["referrer-policy"] in ("same-origin", "no-referrer"), path
        assert told["cross-origin-opener-policy"] == "same-origin", path
        assert told["cross-origin-resource-policy"] == "same-origin", path
        if not path.startswith("/static/") or answer.status_code != 200:
            assert told["cache-control"] == "no-store", path
        if told.get("content-type", "").startswith("text/html"):
            seen += 1
            assert inline_code(answer.text) == [], path
    assert seen > 10


def inline_code(page: str) -> list[str]:
    """What a strict policy would not run, and should therefore not be there."""
    reader = _Reader()
    reader.feed(page)
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        is_data = told.get("type") in ("application/json", "text/template")
        if tag == "style" or (tag == "script" and not told.get("src") and not is_data):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            runs = (value or "").strip().lower().startswith(("javascript:", "data:text"))
            if name == "style" or name.startswith("on") or runs:
                self.found.append(f"{tag} {name}={value}")


@pytest.mark.parametrize("persona", ["hospital-doctor", "inhabitant", ""])
async def test_no_route_leads_to_another_site_whatever_it_is_asked(
    site: Site, persona: str
) -> None:
    led = []
    for method, path, _ in site.routes():
        if method != "GET" or path.endswith("/live"):
            continue
        for page in LED_ASTRAY[:6] if persona else LED_ASTRAY:
            asked = dict.fromkeys(("next", "url", "redirect", "return", "back"), page)
            answer = await site.browsers[persona].get(
                path, params=asked, headers={"host": EVIL, "x-forwarded-host": EVIL}
            )
            if leads_away(answer.headers.get("location", "")):
                led.append((path, page, answer.headers["location"]))
    assert led == []


def leads_away(location: str) -> bool:
    """Whether a browser at our site would leave it; browsers read backslashes as slashes."""
    plain = re.sub(r"[\t\n\r]", "", location).strip().replace("\\", "/")
    return plain.startswith("//") or (bool(urlsplit(plain).netloc) and EVIL in plain)


@given(st.one_of(st.text(), st.sampled_from(LED_ASTRAY), st.text("/\\\t\n .:@evil")))
def test_where_one_is_sent_after_signing_in_is_always_here(page: str) -> None:
    assert not leads_away(local(page))
    assert local(page).startswith("/")


async def test_every_door_to_signing_in_and_to_tokens_is_limited(site: Site) -> None:
    harmless = {"/sign-in", "/signed-out", "/locked", "/sign-in/role", "/sign-in/emergency"}
    unlimited = [
        (method, path)
        for method, path, handler in site.routes()
        # They show 256 random bits, which nobody guesses however often they try.
        if "limit" not in handler.opt
        and not path.startswith(("/scim/", "/cds-services/"))
        and (
            handler.opt["decision"] == "token"
            or (handler.opt["decision"] == "public" and method != "GET")
            or path.startswith(("/auth/", "/me/"))
            or (path.startswith("/sign-in/") and path not in harmless)
        )
    ]
    # A sign-out needs a session; keys and the page of one's own sign-in are only read.
    read = {("POST", "/sign-out"), ("GET", "/auth/keys"), ("GET", "/me/sign-in")}
    assert set(unlimited) - read == set()


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(site: Site) -> None:
    answer = await site.browser().get(
        "/sign-in/secretary", params={"key": site.pages.state["demo_key"]}
    )
    told = [*answer.headers.get_list("set-cookie")]
    told += (await site.browser().get("/sign-in")).headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in told} >= {"helsevev_session", "csrftoken"}
    for cookie in told:
        parts = {part.strip().lower() for part in cookie.split(";")}
        assert {"httponly", "samesite=lax", "path=/"} <= parts, cookie
        assert not any(part.startswith("domain") for part in parts), cookie


async def test_a_planted_session_is_not_taken_over_and_each_sign_in_begins_a_new_one(
    site: Site,
) -> None:
    planted = "a" * 43
    browser = site.browser(cookie=f"helsevev_session={planted}")
    assert (await browser.get("/")).status_code == 303
    key = site.pages.state["demo_key"]
    await browser.get("/sign-in/secretary", params={"key": key})
    first = browser.cookies["helsevev_session"]
    assert first != planted
    again = site.browser(cookie=f"helsevev_session={first}")
    assert (await again.get("/")).status_code == 200
    await again.get("/sign-in/secretary", params={"key": key})
    assert again.cookies["helsevev_session"] != first
    assert (await site.browser(cookie=f"helsevev_session={first}").get("/")).status_code == 303


async def test_answers_that_are_no_pages_carry_the_headers_too(site: Site) -> None:
    token = await site.services.credentials.issue_token(SYSTEM)
    asked: list[tuple[str, dict[str, str]]] = [
        ("/fhir/metadata", {}), ("/fhir/Patient", {}), ("/fhir/nothing/at/all", {}),
        ("/fhir/Patient?_count=1", {"authorization": f"Bearer {token}"}),
        ("/nowhere", {}), ("/static/nothing.js", {}), ("/healthz", {}),
    ]  # fmt: skip
    for path, headers in asked:
        told = (await site.browser(**headers).get(path)).headers
        assert told["x-content-type-options"] == "nosniff", path
        assert told["referrer-policy"] in ("no-referrer", "same-origin"), path
        assert "frame-ancestors 'none'" in told["content-security-policy"], path
        assert "strict-transport-security" not in told


async def test_a_body_that_is_too_large_is_refused(site: Site) -> None:
    browser = site.browsers["secretary"]
    await browser.get("/")
    headers = {
        "x-csrf-token": browser.cookies["csrftoken"],
        "content-type": "application/x-www-form-urlencoded",
    }
    answer = await browser.post("/palette", headers=headers, content=b"q=" + b"a" * 12_000_000)
    assert answer.status_code == 413


async def test_an_address_with_control_characters_is_nothing_and_writes_no_log_line(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    for hidden in ("%00", "%0a2026%20ERROR%20forged", "%0d", "%E2%80%8B", "%1b[2J"):
        for path in (f"/patient/{site.patient}{hidden}", f"/patient/{site.patient}/curve/{hidden}"):
            assert (await site.browsers["inhabitant"].get(path)).status_code == 404
    assert caplog.records == []


async def test_text_that_cannot_be_kept_is_refused_and_not_a_failure(site: Site) -> None:
    browser = site.browsers["hospital-doctor"]
    await browser.get("/")
    headers = {"x-csrf-token": browser.cookies["csrftoken"]}
    found = {}
    for method, path, _ in site.routes():
        if method != "POST" or path.startswith(("/sign-out", "/lock", "/scim")):
            continue
        said = dict.fromkeys(FIELDS, "a\0\ud800b".encode("utf-8", "surrogatepass"))
        answer = await browser.post(path, headers=headers, data=said)
        found[path] = answer.status_code
    assert {path: status for path, status in found.items() if status >= 500} == {}


async def test_over_https_every_answer_demands_it_and_names_the_configured_host(site: Site) -> None:
    with warnings.catch_warnings():
        # How path parameters are declared is about to change in the framework.
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        settings = replace(site.settings, address="https://record.example")
        app: Any = build_app(settings, site.services)
    token = await site.services.credentials.issue_token(SYSTEM)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=f"https://{EVIL}",
        headers={"authorization": f"Bearer {token}", "x-forwarded-host": EVIL},
    ) as browser:  # fmt: skip
        for path in ("/fhir/metadata", "/fhir/Patient?_count=1", "/sign-in", "/", "/nowhere"):
            answer = await browser.get(path)
            assert "max-age=63072000" in answer.headers["strict-transport-security"], path
            assert EVIL not in answer.text + answer.headers.get("location", ""), path
        for cookie in (await browser.get("/sign-in")).headers.get_list("set-cookie"):
            assert "secure" in cookie.lower(), cookie


async def test_other_origins_may_ask_the_api_and_never_with_cookies(site: Site) -> None:
    browser = site.browsers["hospital-doctor"]
    for path in ("/fhir/metadata", "/fhir/Patient", "/"):
        told = (await browser.get(path, headers={"origin": f"https://{EVIL}"})).headers
        assert "access-control-allow-credentials" not in told, path
        assert told.get("access-control-allow-origin", "*") == "*", path
    assert (await browser.get("/fhir/Patient")).status_code == 401
    assert "access-control-allow-origin" not in (await browser.get("/")).headers
