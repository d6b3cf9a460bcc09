"""One member of staff at work: signed in to the pages, and known to the API by a token."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

from .wire import Answer, Wire

_CSRF_COOKIE: Final = "csrftoken"
_INPUT: Final = re.compile(r"<input\b([^>]*)>")
_TEXTAREA: Final = re.compile(r"<textarea\b([^>]*)>(.*?)</textarea>", re.DOTALL)
_SELECT: Final = re.compile(r"<select\b([^>]*)>(.*?)</select>", re.DOTALL)
_OPTION: Final = re.compile(r"<option\b([^>]*)>")
_ATTRIBUTE: Final = re.compile(r"([a-z-]+)(?:=\"([^\"]*)\")?")
_LEFT_ALONE: Final = frozenset({"radio", "checkbox", "submit"})


@dataclass(slots=True)
class Staff:
    """Who works where, and what their browser holds."""

    role: str
    practitioner: str
    name: str
    unit: str
    unit_name: str
    token: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    async def sign_in(self, wire: Wire, key: str) -> Answer:
        """Sign in by the demo's login link, and take the cookies along."""
        return await self.get(wire, f"/sign-in/{quote(self.role)}?key={quote(key)}")

    async def get(self, wire: Wire, path: str) -> Answer:
        """Open a page."""
        return self._kept(await wire.ask("GET", path, self._headers()))

    async def follow(self, wire: Wire, path: str, seconds: float) -> Answer:
        """Keep a page's live stream open for some seconds."""
        return await wire.follow(path, self._headers(), seconds)

    async def post(self, wire: Wire, path: str, fields: dict[str, str]) -> Answer:
        """Send a form, as the page's own button does."""
        headers = self._headers()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        if token := self.cookies.get(_CSRF_COOKIE):
            headers["x-csrf-token"] = token
        return self._kept(await wire.ask("POST", path, headers, urlencode(fields).encode()))

    async def read(self, wire: Wire, path: str) -> Answer:
        """Read or search at the API."""
        return await wire.ask("GET", path, {"Authorization": f"Bearer {self.token}"})

    async def create(self, wire: Wire, resource_type: str, resource: bytes, key: str) -> Answer:
        """Create a resource (JSON) at the API; `key` makes two requests one write."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/fhir+json",
            "Idempotency-Key": key,
            "Prefer": "return=minimal",
        }
        return await wire.ask("POST", f"/fhir/{resource_type}", headers, resource)

    def _headers(self) -> dict[str, str]:
        pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": pairs} if pairs else {}

    def _kept(self, answer: Answer) -> Answer:
        for name, value in answer.headers:
            if name == "set-cookie":
                cookie, _, content = value.partition(";")[0].partition("=")
                self.cookies[cookie] = content
        return answer


def form(page: bytes, action: str) -> dict[str, str]:
    """The fields of the page's form that posts to `action`, as they are filled in.

    What is only chosen (radio buttons, boxes) is left out. Raises ValueError when there is none.
    """
    text = page.decode()
    begin = text.find(f'action="{html.escape(action)}"')
    if begin < 0:
        raise ValueError(f"The page has no form for {action}")
    inside = text[begin : text.index("</form>", begin)]
    found: dict[str, str] = {}
    for match in _INPUT.finditer(inside):
        given = _attributes(match[1])
        if given.get("type") not in _LEFT_ALONE and "name" in given:
            found[given["name"]] = given.get("value", "")
    for match in _TEXTAREA.finditer(inside):
        found[_attributes(match[1])["name"]] = html.unescape(match[2])
    for match in _SELECT.finditer(inside):
        options = [_attributes(option[1]) for option in _OPTION.finditer(match[2])]
        chosen = next((each for each in options if "selected" in each), options[0])
        found[_attributes(match[1])["name"]] = chosen.get("value", "")
    return found


def _attributes(text: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(text)}
