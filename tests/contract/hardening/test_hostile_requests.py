"""Requests as an attacker writes them: bombs, injections, paths, methods, addresses, streams."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helsevev.access.actor import SYSTEM
from helsevev.chart import live
from helsevev.fhir_api.application import FhirApi

from .conftest import PERSONAS, Site

FHIR = {"content-type": "application/fhir+json"}
MEGABYTE = 1024 * 1024
ENTITIES = """<?xml version="1.0"?><!DOCTYPE Patient [<!ENTITY a "{a}">{bombs}
<!ENTITY file SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"><id value="xml"/>
<name><family value="&{last};&file;"/></name></Patient>"""
PROFILE = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription"
TOPIC = "https://helsevev.example/fhir/SubscriptionTopic/new-result"
INSIDE = (
    "http://127.0.0.1:5432/", "http://localhost/", "https://localhost/hook", "http://[::1]/",
    "http://0.0.0.0/", "https://0/", "http://127.1/", "http://2130706433/", "http://0x7f.1/",
    "http://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest/meta-data/",
    "https://[fd00:ec2::254]/", "https://metadata.google.internal/", "https://10.0.0.1/hook",
    "https://192.168.1.1/", "https://hook.example.10.0.0.1.nip.io/", "file:///etc/passwd",
    "gopher://127.0.0.1:25/", "https://allowed.example@127.0.0.1/", "https://127.0.0.1#@a.example",
)  # fmt: skip
CLIMBING = (
    "..", "../..", "%2e%2e", "%2e%2e/%2e%2e", "..%2f..%2f", "..%252f", "..;/", "....//",
    "..\\..\\", "..%5c..%5c", "%c0%ae%c0%ae/", "/etc", "//etc",
)  # fmt: skip
INJECTIONS = (
    "' OR '1'='1", "'; DROP TABLE resource; --", "1) OR (1=1", "x' UNION SELECT id FROM resource--",
    "'; SELECT pg_sleep(5); --", "' || pg_sleep(5) || '", "%' OR 1=1 --", "\\'; SELECT 1; --",
    "$1", "$$; SELECT pg_sleep(5); $$", "{1,2}'::bigint[]", "E'\\x27'", "1;COPY t TO PROGRAM 'a'",
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def system(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A system that may read and write the whole record."""
    token = await site.services.credentials.issue_token(SYSTEM)
    async with site.browser(authorization=f"Bearer {token}") as client:
        yield client


async def rows(site: Site) -> int:
    """How many resources there are."""
    database = site.services.gate.store.roles.owner
    found: int = await database.fetchval("SELECT count(*) FROM resource")
    return found


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "identity, gzip", "chunked"])
async def test_a_body_that_would_grow_is_not_unpacked(
    site: Site, system: httpx.AsyncClient, coding: str
) -> None:
    before = await rows(site)
    plain = b'{"resourceType":"Patient","id":"bomb","text":"' + b"a" * 8 * MEGABYTE + b'"}'
    packed = zlib.compress(plain) if coding == "deflate" else gzip.compress(plain)
    begun = time.process_time()
    answer = await system.put(
        "/fhir/Patient/bomb", content=packed, headers={**FHIR, "content-encoding": coding}
    )
    assert 400 <= answer.status_code < 500
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert time.process_time() - begun < 1
    assert await rows(site) == before


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000, b'{"a":' * 200_000, b'{"resourceType":"Patient","x":' + b"[" * 100_000,
        b'{"resourceType":"Patient","extension":[{"extension":' * 5_000,
        b'{"resourceType":"Patient","multipleBirthInteger":' + b"9" * 100_000 + b"}",
        b'{"resourceType":"Patient","multipleBirthInteger":1e999999999}',
        b'{"resourceType":"Patient",' + b'"id":"a",' * 50_000 + b'"id":"b"}',
        b'{"resourceType":"Patient","name":[' + b"{}," * 100_000 + b"{}]}",
        b'{"resourceType":"Patient","name":"\\ud800"}', b"\xff\xfe{\x00}\x00", b"NaN",
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)  # fmt: skip
async def test_json_that_is_deep_long_or_bent_is_refused_at_once(
    site: Site, system: httpx.AsyncClient, body: bytes
) -> None:
    before = await rows(site)
    begun = time.process_time()
    for path in ("/fhir/Patient", "/fhir", "/fhir/Patient/$match", "/fhir/$convert"):
        answer = await system.post(path, content=body, headers=FHIR)
        assert 400 <= answer.status_code < 500, (path, answer.text[:300])
    assert time.process_time() - begun < 4
    assert await rows(site) == before


@pytest.mark.parametrize("kind", ["application/fhir+xml", "application/xml", "text/xml"])
async def test_no_entity_of_xml_is_read(site: Site, system: httpx.AsyncClient, kind: str) -> None:
    before = await rows(site)
    bombs = '<!ENTITY a1 "&a;&a;">'
    bombs += "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(2, 12))
    for last in ("a", "a11"):
        body = ENTITIES.format(a="lol" * 10, bombs=bombs, last=last)
        answer = await system.post("/fhir/Patient", content=body, headers={"content-type": kind})
        assert answer.status_code in (400, 415), answer.text[:300]
        assert "root:" not in answer.text
        assert "lollol" not in answer.text
    assert await rows(site) == before


async def test_a_form_of_too_many_or_too_large_parts_is_refused(site: Site) -> None:
    browser = site.browsers["secretary"]
    await browser.get("/")
    token = {"x-csrf-token": browser.cookies["csrftoken"]}
    form = "application/x-www-form-urlencoded"
    begun = time.process_time()
    for body, kind in (
        (b"&".join(b"q%d=1" % n for n in range(200_000)), form),
        (b"q=" + b"%41" * 200_000, form),
        (b"--x\r\n" * 100_000, "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name="q"\r\n\r\n1\r\n' * 20_000 + b"--x--",
         "multipart/form-data; boundary=x"),
        (b"--x\r\n" + b"A: b\r\n" * 50_000, "multipart/form-data; boundary=x"),
        (b"q=1", "multipart/form-data"), (b"q=1", "multipart/form-data; boundary=" + "x" * 5_000),
    ):  # fmt: skip
        answer = await browser.post(
            "/palette", content=body, headers={**token, "content-type": kind}
        )
        assert answer.status_code < 500, kind
    assert time.process_time() - begun < 20


async def test_a_value_never_becomes_sql(site: Site, system: httpx.AsyncClient) -> None:
    before = await rows(site)
    names = (
        "name", "family", "_id", "identifier", "birthdate", "_sort", "_count", "_lastUpdated",
        "_content", "_filter", "address-city:contains", "_has:Observation:subject:code",
        "general-practitioner.name", "_elements", "_cursor", "_type", "_include",
    )  # fmt: skip
    begun = time.monotonic()
    for text in INJECTIONS:
        for name in names:
            answer = await system.get("/fhir/Patient", params={name: text})
            assert answer.status_code < 500, (name, text, answer.text[:300])
            if answer.status_code == 200 and not name.startswith(
                ("_elements", "_type", "_content")
            ):
                assert answer.json().get("total", 0) == 0, (name, text)
        for path in (f"/fhir/Patient/{text}", f"/fhir/{text}", f"/patient/{text}"):
            assert (await system.get(path)).status_code in (303, 400, 404), path
    assert time.monotonic() - begun < 120, "nobody sleeps on request"
    assert await rows(site) == before


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(["name", "_id", "_content", "identifier", "_filter", "birthdate", "code"]),
    text=st.lists(
        st.sampled_from(["'", '"', ";", "--", "/*", "*/", "\\", ")", "(", "$$", "%", "_", " OR ",
                         " AND ", "1=1", "::", "\u02bc", "\uff07", "a", "|", ",", "\x00", "\n"]),
        min_size=1, max_size=10,
    ).map("".join),
)  # fmt: skip
async def test_whatever_quotes_are_sent_a_search_finds_or_refuses(
    name: str, text: str, site: Site, system: httpx.AsyncClient
) -> None:
    answer = await system.get("/fhir/Patient", params={name: text})
    assert answer.status_code in (200, 400, 422), answer.text[:300]


@pytest.mark.parametrize("climbing", CLIMBING)
async def test_no_address_climbs_out_of_a_folder(
    site: Site, system: httpx.AsyncClient, climbing: str
) -> None:
    (site.settings.data / "beside").write_text("helsevev-secret")
    for base in ("/static", "/static/fonts", "/fhir/_export/1", "/fhir/_export", "/style"):
        for target in ("beside", "etc/passwd", "csrf", "postgres/cluster/PG_VERSION"):
            path = f"{base}/{climbing}/{target}"
            for client in (system, site.browsers["hospital-doctor"]):
                try:
                    answer = await client.get(path)
                except httpx.InvalidURL:
                    continue
                assert answer.status_code in (303, 400, 401, 403, 404), path
                assert "helsevev-secret" not in answer.text
                assert "root:" not in answer.text


async def test_no_folder_is_listed_and_no_file_of_a_checkout_is_served(site: Site) -> None:
    for path in (
        "/static", "/static/", "/static/fonts/", "/.git/config", "/.env", "/.well-known/",
        "/docs", "/fhir/_export/", "/backup.sql", "/server-status", "/debug", "/admin", "/metrics",
        "/openapi.json", "/schema", "/swagger", "/console", "/actuator/env",
    ):  # fmt: skip
        answer = await site.browsers["hospital-doctor"].get(path)
        assert answer.status_code == 404, path


async def test_the_api_takes_no_method_for_another(site: Site, system: httpx.AsyncClient) -> None:
    made = await system.put(
        "/fhir/Patient/method", headers=FHIR, json={"resourceType": "Patient", "id": "method"}
    )
    assert made.status_code == 201
    for name in ("x-http-method-override", "x-method-override", "x-http-method"):
        for wanted in ("DELETE", "PUT"):
            answer = await system.get("/fhir/Patient/method", headers={name: wanted})
            assert answer.status_code == 200
            form = {"_method": wanted}
            answer = await system.post("/fhir/Patient/method", data=form, headers={name: wanted})
            assert answer.status_code in (404, 405)
    for method in ("TRACE", "TRACK", "CONNECT", "DEBUG", "PROPFIND"):
        for path in ("/fhir/Patient/method", "/", "/patients"):
            answer = await system.request(method, path)
            assert answer.status_code in (303, 400, 404, 405, 501), (method, path)
            assert "authorization" not in answer.text.lower(), "nothing is echoed"
    assert (await system.get("/fhir/Patient/method")).json()["meta"]["versionId"] == "1"


@pytest.mark.parametrize("url", INSIDE)
async def test_nobody_makes_the_server_ask_inside_the_network(site: Site, url: str) -> None:
    # As outside the demo, where this machine is not allowed for trying things out.
    assert site.services.notifier._endpoints.refusal(url) is not None
    token = await site.services.credentials.issue_token(SYSTEM)
    asked = {
        "resourceType": "Subscription", "status": "requested", "reason": "x",
        "meta": {"profile": [PROFILE]}, "criteria": TOPIC,
        "channel": {"type": "rest-hook", "endpoint": url, "payload": "application/fhir+json"},
    }  # fmt: skip
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(FhirApi(site.services)), base_url="http://127.0.0.1/fhir/",
        headers={**FHIR, "authorization": f"Bearer {token}"},
    )  # fmt: skip
    async with client:
        answer = await client.post("Subscription", json=asked)
    assert 400 <= answer.status_code < 500, answer.text
    assert url not in json.dumps([i.get("diagnostics", "") for i in answer.json()["issue"]])


async def test_no_header_is_written_by_what_was_asked(site: Site) -> None:
    hidden = ("next=/%0d%0aX-Evil:%201", "to=/%0aX-Evil:%201", "q=%E5%98%8AX-Evil", "from=%00")
    for persona in ("hospital-doctor", ""):
        for method, path, _ in site.routes():
            if method != "GET" or path.endswith("/live"):
                continue
            answer = await site.browsers[persona].get(f"{path}?{'&'.join(hidden)}")
            assert answer.status_code < 500, path
            assert "x-evil" not in answer.headers, path
            told = "".join(name + value for name, value in answer.headers.multi_items())
            assert not set(told) & {"\r", "\n", "\0"}, path


async def test_a_parameter_said_twice_is_not_two_answers(
    site: Site, system: httpx.AsyncClient
) -> None:
    for name in ("_count", "_sort", "_summary", "_total", "_elements", "_cursor", "_format"):
        answer = await system.get(f"/fhir/Patient?{name}=1&{name}=2")
        assert answer.status_code in (200, 400, 406), name
    key = site.pages.state["demo_key"]
    stranger = site.browser()
    answer = await stranger.get(f"/sign-in/secretary?key=wrong&key={key}&key=wrong")
    assert answer.status_code == 404
    answer = await site.browsers["inhabitant"].get("/fhir/Patient?_id=demo-kare&_id=demo-hanne")
    assert answer.status_code == 401


async def test_fields_that_a_form_does_not_have_change_nothing(site: Site) -> None:
    nurse = await site.signed_in("ward-nurse")
    before = await site.services.credentials.session(nurse.cookies["helsevev_session"])
    assert before is not None
    await nurse.get("/")
    headers = {"x-csrf-token": nurse.cookies["csrftoken"]}
    more = {
        "profession": "physician", "role": "administrator", "organisation": "Organization/x",
        "actor": "Device/helsevev", "kind": "system", "id": "Practitioner/other",
        "scopes": "system/*.*", "method": "national", "expires_at": "2099-01-01",
        "person": "Practitioner/ingrid-solemdal", "assurance": "high",
    }  # fmt: skip
    for path in ("/session/seen", "/me/pin", "/palette"):
        await nurse.post(path, headers=headers, data=more)
    after = await site.services.credentials.session(nurse.cookies["helsevev_session"])
    assert after is not None
    assert (after.actor, after.expires_at, after.sign_in) == (
        before.actor, before.expires_at, before.sign_in,
    )  # fmt: skip


@pytest.mark.parametrize("persona", PERSONAS)
async def test_a_live_stream_carries_the_headers_and_ends_with_the_session(
    site: Site, persona: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_CONTACT_SECONDS", 0.1)
    path = f"/patient/{'demo-kare' if persona == 'hospital-doctor' else site.patient}/live"
    browser = await site.signed_in(persona) if persona else site.browser()
    told: dict[str, Any] = {}
    body, ended, first = bytearray(), asyncio.Event(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        await ended.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            told.update(message)
        body.extend(message.get("body", b""))
        if message["type"] == "http.response.body" and not message.get("more_body"):
            ended.set()
        first.set()

    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "root_path": "",
        "query_string": b"", "scheme": "http", "http_version": "1.1", "client": ("127.0.0.1", 5),
        "server": ("127.0.0.1", 8000), "asgi": {"version": "3.0"},
        "headers": [(b"host", b"127.0.0.1:8000"), (b"cookie", cookies.encode()),
                    (b"origin", b"https://evil.example"), (b"accept", b"text/event-stream")],
    }  # fmt: skip
    streaming = asyncio.create_task(site.app(scope, receive, send))
    async with asyncio.timeout(10):
        await first.wait()
    headers = {name.decode().lower(): value.decode() for name, value in told["headers"]}
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert not any(name.startswith("access-control-") for name in headers)
    if told["status"] == 200:
        assert headers["content-type"].startswith("text/event-stream")
        await site.services.credentials.end_session(browser.cookies["helsevev_session"])
        size = len(body)
        async with asyncio.timeout(10):
            await streaming
        assert b"changed" not in body[size:]
    else:
        assert told["status"] in (303, 403, 404)
    await streaming
