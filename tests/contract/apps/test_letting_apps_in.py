"""Apps are let in as SMART App Launch 2 says, and never for more than was granted."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from helsevev.access.actor import SYSTEM
from helsevev.access.errors import Invalid

from .conftest import (
    ADDRESS,
    BACK,
    INHABITANT,
    NURSE,
    Flow,
    World,
    code_of,
    consented,
    let_in,
    told,
)

PRIVATE = {"keys": [ECKey.generate_key("P-384").as_dict(private=True)]}


async def status(world: World, token: str, path: str) -> int:
    async with world.browser(authorization=f"Bearer {token}") as app:
        return (await app.get(f"/fhir/{path}")).status_code


async def test_what_apps_are_told_of_us_is_where_they_look(world: World) -> None:
    async with world.browser(origin="https://app.example") as app:
        smart = await app.get("/fhir/.well-known/smart-configuration")
        assert smart.headers["content-type"] == "application/json"
        assert smart.headers["access-control-allow-origin"] == "*"
        configuration = smart.json()
        for path in ("oauth-authorization-server", "openid-configuration"):
            assert (await app.get(f"/.well-known/{path}")).json() == configuration
        assert configuration["code_challenge_methods_supported"] == ["S256"]
        keys = (await app.get(configuration["jwks_uri"])).json()["keys"]
        assert "d" not in keys[0]
        asking = {"access-control-request-method": "GET"}
        may_ask = await app.request("OPTIONS", "/fhir/Patient/own", headers=asking)
        assert "authorization" in may_ask.headers["access-control-allow-headers"]


async def test_an_app_opened_from_the_chart_reads_that_patient(world: World) -> None:
    client, _ = await world.register()
    scope = "launch patient/*.rs openid fhirUser"
    tokens = await let_in(world, Flow(client), scope, NURSE, nonce="n-1")
    assert (tokens["patient"], tokens["need_patient_banner"]) == ("own", True)
    assert "refresh_token" not in tokens
    assert set(tokens["scope"].split()) == set(scope.split())
    token = tokens["access_token"]
    assert await status(world, token, "Patient/own") == 200
    assert await status(world, token, "Patient/other") == 403
    keys = KeySet.import_key_set(world.services.apps.signing.public())  # type: ignore[arg-type]
    claims = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    assert claims["fhirUser"] == f"{ADDRESS}/fhir/Practitioner/nurse"
    assert (claims["aud"], claims["iss"], claims["nonce"]) == (client.id, ADDRESS, "n-1")


async def test_an_app_is_not_opened_for_a_patient_whom_the_user_may_not_open(world: World) -> None:
    client, _ = await world.register()
    async with await world.signed_in(NURSE) as browser:
        assert (await browser.get(f"/patient/closed/apps/{client.id}")).status_code == 403
        elsewhere = {"sec-fetch-site": "cross-site"}
        led = await browser.get(f"/patient/own/apps/{client.id}", headers=elsewhere)
        assert led.status_code == 403
        flow = Flow(client)
        picked = await browser.get(flow.asked("launch/patient patient/*.rs"))
        assert picked.status_code == 200
        assert 'value="own"' in picked.text
        assert 'value="closed"' not in picked.text


async def test_an_inhabitant_grants_less_and_takes_it_back(world: World) -> None:
    client, _ = await world.register()
    flow = Flow(client)
    scope = "launch/patient patient/Patient.rs patient/Condition.rs offline_access"
    async with await world.signed_in(INHABITANT) as browser:
        page = (await browser.get(flow.asked(scope))).text
        assert "Se diagnoser og problemer" in page
        chosen = ["patient/Patient.rs", "offline_access"]
        answer = await consented(browser, flow, scope, chosen, lasts="month")
        form = flow.form(told(answer)["code"])
        tokens = (await browser.post("/auth/token", data=form)).json()
        assert "patient/Condition.rs" not in tokens["scope"]
        token = tokens["access_token"]
        assert await status(world, token, "Patient/own") == 200
        assert await status(world, token, "Condition/own-ill") == 403
        listed = await browser.get("/my-apps")
        assert "Kurver" in listed.text
        (grant,) = [
            g for g in await world.services.apps.tokens.grants_of(INHABITANT.id)
            if g.client == client.id
        ]  # fmt: skip
        assert 29 <= (grant.expires_at - grant.created_at).days <= 30
        left = await browser.post(
            f"/my-apps/{grant.id}/withdraw",
            data={"_csrf_token": browser.cookies.get("csrftoken") or ""},
        )
        assert left.status_code == 303
        assert await status(world, token, "Patient/own") == 401
        refreshed = await refresh(browser, flow, tokens["refresh_token"])
        assert refreshed.json()["error"] == "invalid_grant"


async def test_nobody_takes_back_or_sees_what_another_let_in(world: World) -> None:
    client, _ = await world.register()
    await let_in(world, Flow(client), "launch/patient patient/*.rs", INHABITANT)
    (grant,) = [
        g for g in await world.services.apps.tokens.grants_of(INHABITANT.id)
        if g.client == client.id
    ]  # fmt: skip
    assert not await world.services.apps.granting.withdraw(NURSE, grant.id)


async def refresh(browser: httpx.AsyncClient, flow: Flow, token: str, **more: str) -> Any:
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": flow.client.id}
    return await browser.post("/auth/token", data=form | more)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"state": ""}, "invalid_request"),
        ({"code_challenge": "", "code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"aud": "https://other.example/fhir"}, "invalid_request"),
        ({"aud": ""}, "invalid_request"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"scope": "user/*.cud"}, "invalid_scope"),
        ({"launch": "made-up"}, "invalid_request"),
    ],
)
async def test_what_is_asked_wrongly_is_told_to_the_app(
    world: World, change: dict[str, str], error: str
) -> None:
    client, _ = await world.register()
    async with await world.signed_in(NURSE) as browser:
        scope = change.pop("scope", "user/*.rs")
        answer = told(await browser.get(Flow(client).asked(scope, **change)))
    assert (answer["error"], answer["iss"]) == (error, ADDRESS)
    assert "code" not in answer


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://evil.example/back", BACK + "/", BACK + "?x=1", BACK + "#x", BACK.upper(), "",
        "https://app.example/back/../evil", "https://app.example@evil.example/back",
        "javascript:alert(1)", "//app.example/back", "https://app.example/back%0d%0aX: 1",
    ],
)  # fmt: skip
async def test_nobody_is_sent_to_an_address_that_is_not_registered(
    world: World, redirect_uri: str
) -> None:
    client, _ = await world.register()
    async with await world.signed_in(NURSE) as browser:
        asked = Flow(client, redirect_uri=redirect_uri).asked("user/*.rs")
        answer = await browser.get(asked)
        assert answer.status_code == 400
        assert "location" not in answer.headers
        twice = await browser.get(f"{Flow(client).asked('user/*.rs')}&redirect_uri=https://e.vil")
        assert twice.status_code == 400
        unknown = replace_id(Flow(client).asked("user/*.rs"), client.id)
        assert (await browser.get(unknown)).status_code == 400


def replace_id(address: str, client_id: str) -> str:
    return address.replace(client_id, "0" * 24)


async def test_a_code_is_worth_something_once_to_its_app_with_its_verifier(world: World) -> None:
    client, _ = await world.register()
    other, _ = await world.register(name="Annen")
    async with await world.signed_in(NURSE) as browser:
        for wrong in (
            {"code_verifier": "x" * 43}, {"code_verifier": ""}, {"redirect_uri": BACK + "/"},
            {"client_id": other.id}, {"code": "made-up"},
        ):  # fmt: skip
            flow = Flow(client)
            code = await code_of(world, browser, flow, "launch patient/*.rs", NURSE)
            answer = await browser.post("/auth/token", data=flow.form(code, **wrong))
            assert answer.status_code == 400
            assert answer.json()["error"] == "invalid_grant"
        flow = Flow(client)
        code = await code_of(world, browser, flow, "launch patient/*.rs", NURSE)
        first = await browser.post("/auth/token", data=flow.form(code))
        token = first.json()["access_token"]
        assert await status(world, token, "Patient/own") == 200
        again = await browser.post("/auth/token", data=flow.form(code))
        assert again.json()["error"] == "invalid_grant"
        assert await status(world, token, "Patient/own") == 401, "a stolen code takes all along"


async def test_of_many_who_hand_in_a_code_at_once_nobody_keeps_a_token(world: World) -> None:
    client, _ = await world.register()
    async with await world.signed_in(NURSE) as browser:
        flow = Flow(client)
        code = await code_of(world, browser, flow, "launch patient/*.rs", NURSE)
        answers = await asyncio.gather(
            *(browser.post("/auth/token", data=flow.form(code)) for _ in range(8))
        )
    given = [a.json()["access_token"] for a in answers if a.status_code == 200]
    assert len(given) <= 1
    assert [await status(world, token, "Patient/own") for token in given] in ([], [401])


async def test_a_launch_is_for_one_app_one_session_and_one_time(world: World) -> None:
    client, _ = await world.register()
    other, _ = await world.register(name="Annen")
    async with await world.signed_in(NURSE) as mine, await world.signed_in(NURSE) as theirs:
        opened = await mine.get(f"/patient/own/apps/{client.id}")
        launch = opened.headers["location"].rpartition("launch=")[2]
        scope = "launch patient/*.rs"
        for browser, flow in ((theirs, Flow(client)), (mine, Flow(other))):
            answer = told(await browser.get(flow.asked(scope, launch=launch)))
            assert answer["error"] == "invalid_request"
        assert "code" in told(await mine.get(Flow(client).asked(scope, launch=launch)))
        again = told(await mine.get(Flow(client).asked(scope, launch=launch)))
        assert again["error"] == "invalid_request"


async def test_a_refresh_token_is_used_once_and_never_asks_for_more(world: World) -> None:
    client, _ = await world.register()
    flow = Flow(client)
    scope = "launch patient/Patient.rs patient/Condition.rs offline_access"
    tokens = await let_in(world, flow, scope, NURSE)
    async with world.browser() as app:
        more = await refresh(app, flow, tokens["refresh_token"], scope="patient/*.rs")
        assert more.json()["error"] == "invalid_scope"
        less = await refresh(app, flow, tokens["refresh_token"], scope="patient/Patient.rs")
        assert less.json()["scope"] == "patient/Patient.rs"
        assert await status(world, less.json()["access_token"], "Condition/own-ill") == 403
        stolen = await refresh(app, flow, tokens["refresh_token"])
        assert stolen.json()["error"] == "invalid_grant"
        for token in (less.json()["access_token"], tokens["access_token"]):
            assert await status(world, token, "Patient/own") == 401
        kept = await refresh(app, flow, less.json()["refresh_token"])
        assert kept.json()["error"] == "invalid_grant"


async def test_signing_out_locking_and_another_role_end_the_tokens(world: World) -> None:
    client, _ = await world.register()
    credentials = world.services.credentials
    for ending in ("sign out", "role", "lock"):
        async with await world.signed_in(NURSE) as browser:
            flow, cookie = Flow(client), browser.cookies["helsevev_session"]
            scope = "launch patient/*.rs online_access"
            code = await code_of(world, browser, flow, scope, NURSE)
            tokens = (await browser.post("/auth/token", data=flow.form(code))).json()
            assert await status(world, tokens["access_token"], "Patient/own") == 200
            if ending == "sign out":
                await credentials.end_session(cookie)
            elif ending == "lock":
                await credentials.lock(cookie)
            else:
                other = replace(NURSE, organisation="Organization/other")
                await world.services.gate.store.roles.owner.execute(
                    "UPDATE session SET actor = $1::jsonb WHERE actor ->> 'id' = $2",
                    json.dumps(other.as_data()), NURSE.id,
                )  # fmt: skip
                await credentials.forget_app(client.id)
            assert await status(world, tokens["access_token"], "Patient/own") == 401, ending
            if ending != "lock":
                answer = await refresh(browser, flow, tokens["refresh_token"])
                assert answer.json()["error"] == "invalid_grant", ending


async def test_suspending_an_app_ends_all_it_has_at_once(world: World) -> None:
    client, _ = await world.register()
    flow = Flow(client)
    tokens = await let_in(world, flow, "launch patient/*.rs offline_access", NURSE)
    await world.services.apps.clients.suspend(SYSTEM, client.id)
    assert await status(world, tokens["access_token"], "Patient/own") == 401
    async with await world.signed_in(NURSE) as browser:
        assert (await refresh(browser, flow, tokens["refresh_token"])).status_code == 401
        assert (await browser.get(flow.asked("user/*.rs"))).status_code == 400
        await world.services.apps.clients.activate(SYSTEM, client.id)
        assert (await refresh(browser, flow, tokens["refresh_token"])).status_code == 400


async def test_a_confidential_app_shows_its_secret_and_asks_what_its_tokens_are_for(
    world: World,
) -> None:
    client, secret = await world.register(kind="confidential")
    other, another = await world.register(kind="confidential", name="Annen")
    flow = Flow(client)
    async with await world.signed_in(NURSE) as browser:
        code = await code_of(world, browser, flow, "launch patient/*.rs", NURSE)
        assert (await browser.post("/auth/token", data=flow.form(code))).status_code == 401
        basic = base64.b64encode(f"{client.id}:{secret}".encode()).decode()
        shown = {"authorization": f"Basic {basic}"}
        answer = await browser.post("/auth/token", data=flow.form(code), headers=shown)
        token = answer.json()["access_token"]
        asked = await browser.post("/auth/introspect", data={"token": token}, headers=shown)
        assert (asked.json()["active"], asked.json()["patient"]) == (True, "own")
        foreign = {"token": token, "client_id": other.id, "client_secret": another}
        assert (await browser.post("/auth/introspect", data=foreign)).json() == {"active": False}
        await browser.post("/auth/revoke", data=foreign)
        assert await status(world, token, "Patient/own") == 200
        await browser.post("/auth/revoke", data={"token": token}, headers=shown)
        assert await status(world, token, "Patient/own") == 401
        asked = await browser.post("/auth/introspect", data={"token": token}, headers=shown)
        assert asked.json() == {"active": False}


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uris": ("http://app.example/back",)}, {"redirect_uris": ("javascript:x",)},
        {"redirect_uris": ()}, {"redirect_uris": ("https://a.example/#x",)}, {"name": ""},
        {"scopes": ()}, {"scopes": ("admin",)}, {"scopes": ("system/*.rs",)},
        {"kind": "asymmetric"}, {"kind": "backend"}, {"launch_url": "http://app.example/"},
        {"jwks": {"keys": []}},
        {"kind": "asymmetric", "jwks": PRIVATE},
    ],
)  # fmt: skip
async def test_what_cannot_be_registered_is_said(world: World, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await world.register(**wrong)


@pytest.mark.parametrize(("kind", "status"), [("public", 200), ("confidential", 401)])
async def test_a_public_app_refreshes_without_its_name_and_others_never_without_proof(
    world: World, kind: str, status: int
) -> None:
    client, secret = await world.register(kind=kind)
    flow = Flow(client)
    async with await world.signed_in(NURSE) as browser:
        code = await code_of(world, browser, flow, "launch patient/*.rs online_access", NURSE)
        form = flow.form(code) | ({"client_secret": secret} if secret else {})
        token = (await browser.post("/auth/token", data=form)).json()["refresh_token"]
        bare = {"grant_type": "refresh_token", "refresh_token": token}
        assert (await browser.post("/auth/token", data=bare)).status_code == status
        unknown = bare | {"refresh_token": "x"}
        assert (await browser.post("/auth/token", data=unknown)).status_code == 401


@pytest.mark.parametrize(
    "profession", ["privacy-officer", "secretary", "physician", "block-keeper"]
)
async def test_nobody_else_sees_which_apps_there_are(world: World, profession: str) -> None:
    async with await world.signed_in(replace(NURSE, profession=profession)) as browser:
        for page in ("/apps", "/apps/new", "/apps/x"):
            assert (await browser.get(page)).status_code == 403


@pytest.mark.parametrize("profession", ["system-administrator", "app-administrator"])
async def test_those_who_are_set_to_it_approve_apps(world: World, profession: str) -> None:
    async with await world.signed_in(NURSE) as browser:
        assert (await browser.get("/apps")).status_code == 403
    administrator = replace(NURSE, profession=profession, id="Practitioner/admin")
    async with await world.signed_in(administrator) as browser:
        assert (await browser.get("/apps/new")).status_code == 200
        csrf = browser.cookies.get("csrftoken") or ""
        form = {"_csrf_token": csrf, "name": "Ny", "vendor": "Hus", "kind": "confidential",
                "redirect_uris": BACK, "scopes": "user/*.rs", "for_staff": "yes"}  # fmt: skip
        wrong = await browser.post("/apps", data=form | {"scopes": "alt"})
        assert (wrong.status_code, "tilgangsområdene finnes ikke" in wrong.text) == (422, True)
        made = await browser.post("/apps", data=form)
        assert "Hemmelighet" in made.text
        assert "Ny" in (await browser.get("/apps")).text
