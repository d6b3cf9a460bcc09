"""An app in a session that nobody uses any longer reads nothing, though nobody locked it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from helsevev.kit import clock

from .conftest import NURSE, Flow, World, code_of


async def test_an_app_reads_nothing_once_its_user_has_left_without_signing_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = world.services.credentials
    monkeypatch.setattr(credentials, "lock_after", timedelta(minutes=15))
    client, _ = await world.register()
    async with await world.signed_in(NURSE) as browser:
        flow, cookie = Flow(client), browser.cookies["helsevev_session"]
        code = await code_of(world, browser, flow, "launch patient/*.rs online_access", NURSE)
        tokens = (await browser.post("/auth/token", data=flow.form(code))).json()

        async def reads() -> bool:
            again = {"grant_type": "refresh_token", "client_id": client.id,
                     "refresh_token": tokens["refresh_token"]}  # fmt: skip
            # The app asks by itself: this is no use of the session.
            async with world.browser() as app:
                answer = (await app.post("/auth/token", data=again)).json()
            if "access_token" not in answer:
                return False
            tokens.update(answer)
            token = tokens["access_token"]
            async with world.browser(authorization=f"Bearer {token}") as app:
                return (await app.get("/fhir/Patient/own")).status_code == 200

        assert await reads()
        ahead = timedelta()
        monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + ahead)
        ahead = timedelta(minutes=10)
        session = await credentials.session(cookie)
        assert session is not None
        await credentials.seen(cookie, session)
        ahead = timedelta(minutes=24)
        assert await reads(), "used ten minutes after it began"
        ahead = timedelta(minutes=26)
        assert not await reads()
