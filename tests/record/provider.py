"""The demo's identity provider as tests drive it: people who sign in there without a browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx

from helsevev.access.identity.demo_provider import DemoProvider, Person
from helsevev.access.identity.profile import PROFILES, Client, Who, own_key
from helsevev.access.identity.relying_party import RelyingParty

HERE = "http://127.0.0.1:9"
_FORM = re.compile(r'action="([^"]+)"')


@dataclass
class Running:
    """A provider that runs, who can sign in there, and us as its clients."""

    provider: DemoProvider
    people: dict[Who, Sequence[Person]]
    parties: dict[Who, RelyingParty]

    async def sign_in(self, url: str, person: str) -> dict[str, str]:
        """Do as a browser does until the provider sends it back to us; the query it then has."""
        async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as browser:
            answer = await browser.get(url)
            while not (there := answer.headers.get("location", "")).startswith(HERE):
                if there:
                    answer = await browser.get(answer.url.join(there))
                else:
                    action = _FORM.search(answer.text)
                    assert action is not None, answer.text[:500]
                    answer = await browser.post(answer.url.join(action[1]), data={"person": person})
        return dict(parse_qsl(urlsplit(there).query))


@asynccontextmanager
async def running(folder: Path, people: dict[Who, Sequence[Person]]) -> AsyncIterator[Running]:
    """Start the provider for these people, and end it."""
    keys = {who: own_key(folder / f"{who}.pem") for who in people}
    provider = DemoProvider([HERE], keys)
    await provider.start(people)
    async with httpx.AsyncClient(trust_env=False) as http:
        parties = {
            who: RelyingParty(Client(PROFILES[who], issuer, "helsevev", keys[who]), http)
            for who, issuer in provider.issuers.items()
        }
        try:
            yield Running(provider, people, parties)
        finally:
            await provider.stop()
