"""Whatever apps send in whatever order, no token is for more than its user granted that app."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helsevev.access import scopes
from helsevev.access.apps.granting import challenge_of
from helsevev.access.apps.refusals import NotLetIn
from helsevev.access.apps.registration import Client
from helsevev.access.apps.tokens import Context, hash_of_session
from helsevev.access.session import SHIFT
from helsevev.kit import clock

from .conftest import BACK, NURSE, World

VERIFIERS = ("v" * 43, "w" * 43)
GRANTS = st.lists(
    st.sampled_from([
        "patient/Patient.rs", "patient/*.rs", "patient/Condition.r", "user/Condition.rs?code=x",
        "offline_access", "openid",
    ]),
    min_size=1, max_size=3, unique=True,
)  # fmt: skip
NUMBER = st.integers(0, 4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("grant"), NUMBER, GRANTS),
        st.tuples(st.just("code"), NUMBER, st.tuples(NUMBER, st.booleans(), st.booleans())),
        st.tuples(st.just("refresh"), NUMBER, st.tuples(NUMBER, GRANTS | st.just([]))),
        st.tuples(st.just("withdraw"), NUMBER, st.none()),
        st.tuples(st.just("revoke"), NUMBER, NUMBER),
    ),
    min_size=2, max_size=12,
)  # fmt: skip


@dataclass
class Given:
    """What a user granted one app, and what came of it."""

    id: str
    client: Client
    scopes: tuple[str, ...]
    code: str
    alive: bool = True
    redeemed: bool = False
    refresh: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    access: list[str] = field(default_factory=list)


@settings(
    max_examples=20, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=STEPS)
async def test_no_sequence_yields_more_than_was_granted(world: World, steps: list[Any]) -> None:
    clients = [(await world.register(name=f"App {n}"))[0] for n in range(2)]
    session = hash_of_session(await world.services.credentials.start_session(NURSE))
    everything: list[Given] = []
    for act, number, more in steps:
        client = clients[number % 2]
        if act == "grant":
            everything.append(await _granted(world, client, session, more))
        elif everything:
            given = everything[number % len(everything)]
            await _step(world, act, given, clients, more)
        for given in everything:
            await _holds(world, given)


async def _granted(world: World, client: Client, session: bytes, asked: list[str]) -> Given:
    tokens = world.services.apps.tokens
    expires = clock.now() + SHIFT
    context = Context(tuple(asked), "own")
    grant = await tokens.add_grant(client.id, NURSE, context, session, expires)
    content = {"redirect_uri": BACK, "challenge": challenge_of(VERIFIERS[0])}
    code = await tokens.issue_ticket("code", client.id, content, expires, grant=grant.id)
    return Given(grant.id, client, tuple(asked), code)


async def _step(world: World, act: str, given: Given, clients: list[Client], more: Any) -> None:
    granting = world.services.apps.granting
    if act == "withdraw":
        await granting.withdraw(NURSE, given.id)
        given.alive = False
    elif act == "revoke":
        token = given.refresh[more % len(given.refresh)] if given.refresh else given.code
        await granting.revoke(given.client, token)
        given.alive = given.alive and not given.refresh
    elif act == "code":
        who, right_verifier, right_address = more
        client = clients[who % 2]
        form = {
            "code": given.code, "code_verifier": VERIFIERS[not right_verifier],
            "redirect_uri": BACK if right_address else f"{BACK}/",
        }  # fmt: skip
        fits = client == given.client and right_verifier and right_address
        answer = await _asked(granting.by_code(client, form))
        assert (answer is not None) is (fits and given.alive and not given.redeemed)
        if client == given.client and given.redeemed:
            given.alive = False
        given.redeemed = True
        _kept(given, answer)
    elif given.refresh:
        who, wanted = more
        token = given.refresh[who % len(given.refresh)]
        form = {"refresh_token": token, "scope": " ".join(wanted)}
        too_much = not scopes.is_within(wanted, given.scopes)
        answer = await _asked(granting.by_refresh(given.client, form))
        used = token in given.used
        assert (answer is not None) is (given.alive and not used and not too_much)
        if used:
            given.alive = False
        elif not too_much:
            given.used.add(token)
        _kept(given, answer)


async def _asked(answer: Any) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = await answer
    except NotLetIn:
        return None
    return found


def _kept(given: Given, answer: dict[str, Any] | None) -> None:
    if answer is None:
        return
    assert ("refresh_token" in answer) is ("offline_access" in given.scopes)
    if "refresh_token" in answer:
        given.refresh.append(answer["refresh_token"])
    given.access.append(answer["access_token"])


async def _holds(world: World, given: Given) -> None:
    """Every token is for this user, this app and patient, and within the grant; or is worthless."""
    for token in given.access:
        actor = await world.services.credentials.token_actor(token)
        assert (actor is not None) is given.alive
        if actor is not None:
            assert (actor.id, actor.client) == (NURSE.id, given.client.id)
            assert actor.launch_patient == "Patient/own"
            assert actor.scopes is not None
            assert scopes.is_within(actor.scopes, given.scopes)
