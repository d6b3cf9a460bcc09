"""Systems that act for themselves show who they are by a signature, once each time."""

from __future__ import annotations

import base64
import time
import uuid
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from .conftest import ADDRESS, World


async def status(world: World, token: str, path: str) -> int:
    async with world.browser(authorization=f"Bearer {token}") as app:
        return (await app.get(f"/fhir/{path}")).status_code


def assertion(key: Any, client_id: str, algorithm: str = "ES384", **more: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": client_id, "sub": client_id, "aud": f"{ADDRESS}/auth/token", "exp": now + 240,
        "iat": now, "jti": str(uuid.uuid4()),
    } | more  # fmt: skip
    return jwt.encode({"alg": algorithm, "kid": "k"}, claims, key, algorithms=[algorithm])


def by_assertion(text: str, scope: str = "system/*.rs") -> dict[str, str]:
    return {
        "grant_type": "client_credentials", "scope": scope, "client_assertion": text,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }  # fmt: skip


KEY = ECKey.generate_key("P-384", {"kid": "k"})


async def backend(world: World, **more: Any) -> Any:
    jwks = {"keys": [KEY.as_dict(private=False)]}
    usual = {"kind": "backend", "redirect_uris": (), "launch_url": "", "jwks": jwks,
             "scopes": ("system/Patient.rs", "system/Condition.rs")}  # fmt: skip
    client, _ = await world.register(**usual | more)
    return client


async def test_a_system_shows_who_it_is_by_its_key_once_each_time(world: World) -> None:
    client = await backend(world)
    async with world.browser() as system:
        text = assertion(KEY, client.id)
        answer = await system.post("/auth/token", data=by_assertion(text))
        assert answer.status_code == 200, answer.text
        told_back = answer.json()
        assert set(told_back["scope"].split()) == {"system/Patient.rs", "system/Condition.rs"}
        assert told_back["expires_in"] <= 300
        assert await status(world, told_back["access_token"], "Patient/closed") == 200
        assert await status(world, told_back["access_token"], "Encounter/own-stay") == 403
        replayed = await system.post("/auth/token", data=by_assertion(text))
        assert (replayed.status_code, replayed.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "more",
    [
        {"aud": "https://other.example/token"}, {"exp": int(time.time()) - 100},
        {"exp": int(time.time()) + 4000}, {"iss": "somebody"}, {"sub": "somebody"}, {"jti": ""},
        {"jti": 7}, {"nbf": int(time.time()) + 4000},
        {"aud": [f"{ADDRESS}/auth/token", "https://other.example"]},
    ],
)  # fmt: skip
async def test_an_assertion_that_is_not_for_us_now_is_refused(
    world: World, more: dict[str, Any]
) -> None:
    client = await backend(world)
    text = assertion(KEY, client.id, **more)
    async with world.browser() as system:
        form = {**by_assertion(text), "client_id": client.id}
        assert (await system.post("/auth/token", data=form)).status_code == 401


async def test_an_assertion_by_another_key_or_no_key_is_refused(world: World) -> None:
    client = await backend(world)
    stranger = ECKey.generate_key("P-384", {"kid": "k"})
    rsa = RSAKey.generate_key(2048, {"kid": "k"})
    nothing = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    unsigned = f"{nothing}.{assertion(KEY, client.id).split('.')[1]}."
    async with world.browser() as system:
        for text in (
            assertion(stranger, client.id), assertion(rsa, client.id, "RS384"), unsigned,
            "x.y.z", "", "a" * 9000,
        ):  # fmt: skip
            form = {**by_assertion(text), "client_id": client.id}
            assert (await system.post("/auth/token", data=form)).status_code == 401


async def test_keys_are_fetched_from_allowed_addresses_alone(world: World) -> None:
    for address in (
        "https://evil.example/jwks", "https://169.254.169.254/latest", "https://keys.example.evil/",
        "https://keys.example:444/x", "https://u:p@keys.example/x",
    ):  # fmt: skip
        client = await backend(world, jwks=None, jwks_url=address)
        async with world.browser() as system:
            answer = await system.post("/auth/token", data=by_assertion(assertion(KEY, client.id)))
            assert answer.status_code == 401, address
