"""The national logins, against a certified provider that runs: what holds, and what does not."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import httpx
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from joserfc.util import urlsafe_b64encode

from helsevev.access.identity.claims import HPR_NUMBER, inhabitant_claims, staff_claims
from helsevev.access.identity.demo_provider import Person, staff_told
from helsevev.access.identity.profile import PROFILES, Client, Who
from helsevev.access.identity.refusals import LoginRefused, ProviderDown
from helsevev.access.identity.relying_party import NOT_GIVEN, NOT_TRUSTED, RelyingParty

from .provider import HERE, Running, running

ATTEST = {"care_relation": {"purpose_of_use": {"code": "TREAT"}}}
PEOPLE: dict[Who, list[Person]] = {
    "staff": [
        Person("nora", "Nora", "", staff_told("999000001", "Nora")),
        Person(
            "attested", "Arne", "",
            staff_told("999000002", "Arne") | {"nhn:tillitsrammeverk:parameters": ATTEST},
        ),
    ],
    "inhabitants": [
        Person("anne", "Anne", "", {"pid": "13116900216"}, "idporten-loa-high"),
        Person("low", "Lars", "", {"pid": "13116900216"}, "idporten-loa-substantial"),
    ],
}  # fmt: skip
BACK: dict[Who, str] = {who: f"{HERE}/sign-in/callback/{who}" for who in PEOPLE}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def national(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """Both logins, running."""
    async with running(tmp_path_factory.mktemp("provider"), dict(PEOPLE)) as found:
        yield found


async def test_a_health_worker_signs_in_with_all_that_the_profile_demands(
    national: Running,
) -> None:
    party = national.parties["staff"]
    attempt, url = await party.begin(BACK["staff"])
    assert "request_uri=" in url
    assert "nonce=" not in url, "what was asked for was pushed, not sent through the browser"
    answer = await party.finish(attempt, await national.sign_in(url, "attested"))
    told = staff_claims(answer.claims, answer.details)
    assert (told.hpr_number, told.attest) == ("999000002", ATTEST)
    assert told.provider_session


async def test_an_inhabitant_signs_in_at_the_highest_level_alone(national: Running) -> None:
    party = national.parties["inhabitants"]
    attempt, url = await party.begin(BACK["inhabitants"])
    answer = await party.finish(attempt, await national.sign_in(url, "anne"))
    assert inhabitant_claims(answer.claims).national_number == "13116900216"
    attempt, url = await party.begin(BACK["inhabitants"])
    answer = await party.finish(attempt, await national.sign_in(url, "low"))
    with pytest.raises(LoginRefused, match="highest security level"):
        inhabitant_claims(answer.claims)


async def test_a_code_works_once(national: Running) -> None:
    party = national.parties["staff"]
    attempt, url = await party.begin(BACK["staff"])
    query = await national.sign_in(url, "nora")
    await party.finish(attempt, query)
    with pytest.raises(LoginRefused, match=NOT_GIVEN):
        await party.finish(attempt, query)


@pytest.mark.parametrize(
    ("attempted", "came_back"),
    [
        ({"state": "another"}, {}),
        ({"nonce": "another"}, {}),
        ({"verifier": "v" * 43}, {}),
        ({"redirect_uri": f"{HERE}/elsewhere"}, {}),
        ({"dpop_key": "another"}, {}),
        ({"dpop_key": None}, {}),
        ({}, {"iss": "https://evil.example"}),
        ({}, {"iss": ""}),
        ({}, {"code": "made-up"}),
        ({}, {"state": ""}),
    ],
    ids=str,
)
async def test_an_answer_that_is_not_to_our_question_signs_nobody_in(
    national: Running, attempted: dict[str, Any], came_back: dict[str, str]
) -> None:
    party = national.parties["staff"]
    attempt, url = await party.begin(BACK["staff"])
    query = await national.sign_in(url, "nora")
    if attempted.get("dpop_key") == "another":
        attempted = {"dpop_key": ECKey.generate_key("P-256").as_dict(private=True)}
    with pytest.raises(LoginRefused):
        await party.finish(replace(attempt, **attempted), query | came_back)


async def test_an_answer_without_the_issuer_or_with_an_error_signs_nobody_in(
    national: Running,
) -> None:
    party = national.parties["staff"]
    attempt, url = await party.begin(BACK["staff"])
    query = await national.sign_in(url, "nora")
    with pytest.raises(LoginRefused):
        await party.finish(attempt, {k: v for k, v in query.items() if k != "iss"})
    cancelled = {"state": attempt.state, "iss": party.client.issuer, "error": "access_denied"}
    with pytest.raises(LoginRefused, match="Begin again"):
        await party.finish(attempt, cancelled)


async def test_somebody_with_another_key_is_not_us(national: Running) -> None:
    client = national.parties["staff"].client
    async with httpx.AsyncClient(trust_env=False) as http:
        other = RelyingParty(replace(client, key=ECKey.generate_key("P-256")), http)
        with pytest.raises(LoginRefused):
            await other.begin(BACK["staff"])
        nobody = RelyingParty(replace(client, client_id="nobody"), http)
        with pytest.raises(LoginRefused):
            await nobody.begin(BACK["staff"])
        with pytest.raises(LoginRefused):
            await national.parties["staff"].begin("https://evil.example/callback")


async def test_an_id_token_is_for_us_and_for_now(
    national: Running, later: Callable[..., None]
) -> None:
    party = national.parties["staff"]
    attempt, url = await party.begin(BACK["staff"])
    answer = await party.finish(attempt, await national.sign_in(url, "nora"))
    assert (await party.checked(answer.id_token, attempt.nonce))[HPR_NUMBER] == "999000001"
    async with httpx.AsyncClient(trust_env=False) as http:
        other = RelyingParty(replace(party.client, client_id="another"), http)
        with pytest.raises(LoginRefused):
            await other.checked(answer.id_token, attempt.nonce)
    later(minutes=6)
    with pytest.raises(LoginRefused):
        await party.checked(answer.id_token, attempt.nonce)


async def test_a_provider_that_is_down_is_told_from_one_that_is_back(
    national: Running, later: Callable[..., None]
) -> None:
    party = national.parties["staff"]
    assert await party.is_up()
    await national.provider.stop()
    later(seconds=6)
    assert not await party.is_up()
    with pytest.raises(ProviderDown):
        await party.begin(BACK["staff"])
    assert await party.logout_url("", HERE) is None
    await national.provider.start(national.people)
    later(seconds=3)
    assert await party.is_up()
    attempt, url = await party.begin(BACK["staff"])
    # Its keys are new: they are fetched again.
    assert (await party.finish(attempt, await national.sign_in(url, "nora"))).claims[
        "sub"
    ] == "nora"


_ISSUER = "https://helseid.example"
_KEY = RSAKey.generate_key(2048, {"kid": "real", "alg": "RS256"})
_CLIENT = Client(PROFILES["staff"], _ISSUER, "us", ECKey.generate_key("P-256"))


def _answer(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/jwks":
        return httpx.Response(200, json=KeySet([_KEY]).as_dict(private=False))
    return httpx.Response(200, json={"issuer": _ISSUER, "jwks_uri": f"{_ISSUER}/jwks"})


def _token(changed: dict[str, Any], header: dict[str, Any], key: Any = _KEY) -> str:
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "iss": _ISSUER, "aud": "us", "sub": "s", "nonce": "n", "iat": now, "exp": now + 300,
    }  # fmt: skip
    told = {name: value for name, value in (claims | changed).items() if value is not None}
    head = {"alg": "RS256", "kid": "real"} | header
    return jwt.encode(head, told, key, algorithms=[head["alg"]])


def _unsigned() -> str:
    _, body, _ = _token({}, {}).split(".")
    head = urlsafe_b64encode(b'{"alg":"none"}').decode()
    return f"{head}.{body}."


def _signed_with_the_public_key() -> str:
    _, body, _ = _token({}, {}).split(".")
    head = urlsafe_b64encode(b'{"alg":"HS256","kid":"real"}').decode()
    told = f"{head}.{body}"
    mac = hmac.new(_KEY.as_pem(private=False), told.encode(), sha256).digest()
    return f"{told}.{urlsafe_b64encode(mac).decode()}"


_PAST = int(datetime.now(UTC).timestamp()) - 3600
LIES = {
    "another issuer": _token({"iss": "https://evil.example"}, {}),
    "another audience": _token({"aud": "them"}, {}),
    "no audience": _token({"aud": None}, {}),
    "several audiences, not for us to use": _token({"aud": ["us", "them"]}, {}),
    "several audiences, for another to use": _token({"aud": ["us", "them"], "azp": "them"}, {}),
    "expired": _token({"exp": _PAST}, {}),
    "never expires": _token({"exp": None}, {}),
    "of the future": _token({"iat": _PAST + 7200, "exp": _PAST + 9000}, {}),
    "another nonce": _token({"nonce": "m"}, {}),
    "no nonce": _token({"nonce": None}, {}),
    "nobody": _token({"sub": None}, {}),
    "another key": _token({}, {}, RSAKey.generate_key(2048)),
    "not signed": _unsigned(),
    "signed with the public key": _signed_with_the_public_key(),
    "no token": "x.y.z",
    "nothing": "",
}


@pytest.mark.parametrize("lie", list(LIES))
async def test_a_token_that_lies_is_not_believed(lie: str) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(_answer)) as http:
        party = RelyingParty(_CLIENT, http)
        assert (await party.checked(_token({}, {}), "n"))["sub"] == "s"
        with pytest.raises(LoginRefused, match=NOT_TRUSTED):
            await party.checked(LIES[lie], "n")


@pytest.mark.parametrize(
    ("changed", "is_believed"),
    [
        ({"sid": "s1"}, True),
        ({"sid": "s1", "nonce": "n"}, False),
        ({"sid": "s1", "events": {}}, False),
        ({"sid": "s1", "jti": None}, False),
        ({"sid": "s1", "aud": "them"}, False),
    ],
)
async def test_only_a_logout_token_ends_sessions(
    changed: dict[str, Any], is_believed: bool
) -> None:
    events: dict[str, Any] = {"http://schemas.openid.net/event/backchannel-logout": {}}
    token = _token({"nonce": None, "jti": "j", "events": events} | changed, {})
    async with httpx.AsyncClient(transport=httpx.MockTransport(_answer)) as http:
        party = RelyingParty(_CLIENT, http)
        if is_believed:
            assert await party.ended(token) == ("s1", "s")
        else:
            with pytest.raises(LoginRefused):
                await party.ended(token)


async def test_a_provider_that_says_it_is_another_is_not_used() -> None:
    other = replace(_CLIENT, issuer="https://other.example")
    async with httpx.AsyncClient(transport=httpx.MockTransport(_answer)) as http:
        with pytest.raises(ProviderDown):
            await RelyingParty(other, http).begin(HERE)
