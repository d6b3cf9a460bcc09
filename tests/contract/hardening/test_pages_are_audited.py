"""Every page that opens a record leaves its row, and so does every try to come in by wrong keys."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Site

TRIED = "guess-4711"


async def traced(site: Site, number: str) -> list[Any]:
    """The rows of the trail that a request left."""
    return await site.services.gate.store.roles.owner.fetch(
        "SELECT * FROM audit_event WHERE request = $1 ORDER BY id", number
    )


@pytest.mark.parametrize("persona", ["hospital-doctor", "secretary", "inhabitant"])
async def test_whatever_a_page_opens_or_refuses_is_in_the_trail(site: Site, persona: str) -> None:
    browser = site.browsers[persona]
    await browser.get("/")
    token = {"x-csrf-token": browser.cookies["csrftoken"]}
    silent, spoke = [], 0
    for method, path, handler in site.routes():
        if handler.opt["decision"] != "record" or path.endswith("/live"):
            continue  # A live page has no end to wait for; its panels are walked here.
        number = f"{persona}-{method}-{path}"[-60:]
        headers = {"x-request-id": number.replace("/", "."), **(token if method != "GET" else {})}
        answer = await browser.request(method, path, headers=headers)
        rows = await traced(site, headers["x-request-id"])
        spoke += bool(rows)
        if answer.status_code == 403:
            assert any(row["outcome"] == 8 for row in rows), (method, path)
        elif answer.status_code < 300 and not rows:
            silent.append((method, path, answer.status_code))
    assert silent == []
    assert spoke > 15


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/fhir/Patient", {"headers": {"authorization": f"Bearer {TRIED}"}}, 401),
        ("GET", "/fhir/Patient", {"headers": {"authorization": "Basic d3Jvbmc6"}}, 401),
        ("GET", f"/sign-in/secretary?key={TRIED}", {}, 404),
        ("POST", "/auth/token", {"data": {"grant_type": "client_credentials", "client_id": TRIED}},
         401),
        ("POST", "/unlock", {"data": {"credential": "{}", "person": "Practitioner/x"}}, 403),
    ],
    ids=["token", "basic", "link", "app", "passkey"],
)  # fmt: skip
async def test_what_opens_nothing_leaves_a_row(
    site: Site, method: str, path: str, sent: dict[str, Any], status: int
) -> None:
    browser = site.browser()
    await browser.get("/sign-in")
    number = f"wrong-{path[:14]}-{len(str(sent))}".replace("/", ".")
    headers = {**sent.pop("headers", {}), "x-request-id": number}
    if method == "POST":
        headers["x-csrf-token"] = browser.cookies["csrftoken"]
    answer = await browser.request(method, path, headers=headers, **sent)
    assert answer.status_code == status, answer.text
    (row,) = await traced(site, number)
    assert (row["interaction"], row["action"], row["outcome"]) == ("login-refused", "login", 8)
    assert row["reason"]
    assert TRIED not in str(dict(row)), "what was tried is not kept"


async def test_no_token_is_no_try_and_a_flood_of_wrong_ones_fills_no_trail(site: Site) -> None:
    browser = site.browser("203.0.113.9")
    assert (await browser.get("/fhir/Patient", headers={"x-request-id": "none"})).status_code == 401
    assert await traced(site, "none") == []
    wrong = {"authorization": "Bearer wrong", "x-request-id": "flood"}
    answers = [await browser.get("/fhir/Patient", headers=wrong) for _ in range(70)]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert "retry-after" in answers[-1].headers
    assert len(await traced(site, "flood")) == sum(a.status_code == 401 for a in answers)
