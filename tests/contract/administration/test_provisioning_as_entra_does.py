"""Requests as Entra ID's provisioning service sends them: what it writes is kept or passed over."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.contract.administration.test_provisioning import (
    GROUP,
    PATCH,
    ROLE,
    STAFF,
    USER,
    House,
    hired,
    house,
    nurses,
    role_of,
)

from helsevev.access.actor import SYSTEM

__all__ = ["house"]
pytestmark = pytest.mark.asyncio(loop_scope="session")
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MEDIA = {"content-type": "application/scim+json; charset=utf-8"}


async def patched(house: House, path: str, *operations: dict[str, Any]) -> dict[str, Any]:
    """What a resource is after operations, as the client that reads it sees it."""
    body = {"schemas": [PATCH], "Operations": list(operations)}
    answer = await house.hr.patch(path, content=json.dumps(body), headers=MEDIA)
    assert answer.status_code in (200, 204), answer.text
    found: dict[str, Any] = (await house.hr.get(path)).json()
    return found


async def test_somebody_is_looked_for_hired_and_found_again(house: House) -> None:
    asked = {"filter": 'userName eq "7f2c0a1e-0000-4000-8000-000000000000"'}
    nobody = await house.hr.get("/Users", params=asked)
    assert (nobody.status_code, nobody.json()["totalResults"]) == (200, 0)
    made = await house.hr.post("/Users", headers=MEDIA, content=json.dumps({
        "schemas": [USER, ENTERPRISE, STAFF], "externalId": "0a21f0f2", "active": True,
        "userName": "Test_User_ab@ward.example", "displayName": "Anne Bø", "title": "Sykepleier",
        "name": {"formatted": "Anne Bø", "familyName": "Bø", "givenName": "Anne"},
        "emails": [{"primary": True, "type": "work", "value": "anne@ward.example"}],
        "meta": {"resourceType": "User"}, "roles": [], "preferredLanguage": "nb-NO",
        ENTERPRISE: {"department": "Kirurgi", "manager": {"value": "x"}, "employeeNumber": "77"},
        STAFF: {"profession": "SP"},
    }))  # fmt: skip
    assert made.status_code == 201, made.text
    assert made.headers["content-type"].startswith("application/scim+json")
    for asked_for in (
        'userName eq "test_user_AB@ward.example"',
        'externalId eq "0a21f0f2"',
        'emails[type eq "work"].value eq "anne@ward.example"',
        'externalId eq "0a21f0f2" and active eq true',
    ):
        found = (await house.hr.get("/Users", params={"filter": asked_for})).json()
        assert [each["id"] for each in found["Resources"]] == [made.json()["id"]], asked_for


@pytest.mark.parametrize(
    ("operation", "where", "value"),
    [
        ({"op": "Replace", "path": "displayName", "value": "Ny"}, ("displayName",), "Ny"),
        ({"op": "Add", "path": "name.familyName", "value": "Dal"}, ("name", "familyName"), "Dal"),
        ({"op": "Replace", "value": {"name.givenName": "Eva", "active": True}},
         ("name", "givenName"), "Eva"),
        ({"op": "Replace", "path": 'emails[type eq "work"].value', "value": "n@w.example"},
         ("emails", 0, "value"), "n@w.example"),
        ({"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "99 11 22 33"},
         ("phoneNumbers", 0, "value"), "99 11 22 33"),
        ({"op": "Add", "path": f"{STAFF}:hprNumber", "value": "999077777"},
         (STAFF, "hprNumber"), "999077777"),
        ({"op": "Replace", "path": "active", "value": "True"}, ("active",), True),
        ({"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Kirurgi"}, ("active",), True),
        ({"op": "Replace", "path": f"{ENTERPRISE}:manager", "value": "x"}, ("active",), True),
        ({"op": "Add", "path": 'addresses[type eq "work"].country', "value": "NO"},
         ("active",), True),
        ({"op": "Remove", "path": "displayName"}, ("active",), True),
    ],
)  # fmt: skip
async def test_a_person_is_patched_as_entra_writes_it(
    house: House, operation: dict[str, Any], where: tuple[Any, ...], value: Any
) -> None:
    listed = await house.hr.get("/Users", params={"filter": 'userName eq "entra"'})
    people = listed.json()["Resources"]
    one = people[0] if people else await hired(house, "entra")
    found: Any = await patched(house, f"/Users/{one['id']}", operation)
    for step in where:
        found = found[step]
    assert found == value


@pytest.mark.parametrize("way", ["deactivated", "removed", "out of the group"])
async def test_who_leaves_is_signed_out_at_once_and_what_is_unknown_does_not_stop_it(
    house: House, way: str
) -> None:
    one = await hired(house, f"leaver {way}")
    group = await nurses(house, one["id"], title="Leaver")
    actor = await role_of(house, one["id"])
    assert actor is not None
    credentials = house.services.credentials
    await credentials.start_session(actor)
    await credentials.issue_token(actor)
    if way == "deactivated":
        found = await patched(
            house, f"/Users/{one['id']}",
            {"op": "Replace", "path": f"{ENTERPRISE}:department", "value": ""},
            {"op": "Replace", "path": "title", "value": "Sluttet"},
            {"op": "Replace", "path": "active", "value": "False"},
        )  # fmt: skip
        assert found["active"] is False
    elif way == "removed":
        assert (await house.hr.delete(f"/Users/{one['id']}")).status_code == 204
    else:
        gone = {"op": "Remove", "path": "members", "value": [{"value": one["id"]}]}
        await patched(house, f"/Groups/{group['id']}", gone)
    left = (
        "SELECT (SELECT count(*) FROM session WHERE person = $1)"
        " + (SELECT count(*) FROM api_token WHERE actor ->> 'id' = $1)"
    )
    assert await house.services.gate.store.database.fetchval(left, actor.id) == 0
    assert await role_of(house, one["id"]) is None


async def test_a_group_is_found_filled_and_emptied_as_entra_does(house: House) -> None:
    one, two = await hired(house, "member1"), await hired(house, "member2")
    made = await house.hr.post("/Groups", headers=MEDIA, content=json.dumps({
        "schemas": [GROUP, ROLE], "externalId": "g-1", "displayName": "Sykepleiere",
        "members": [], "meta": {"resourceType": "Group"}, ROLE: {"unit": "104", "title": "Pleier"},
    }))  # fmt: skip
    assert made.status_code == 201, made.text
    path = f"/Groups/{made.json()['id']}"
    found = await house.hr.get("/Groups", params={
        "filter": 'displayName eq "Sykepleiere"', "excludedAttributes": "members",
    })  # fmt: skip
    (shown,) = found.json()["Resources"]
    assert "members" not in shown
    group = await patched(
        house, path, {"op": "Add", "path": "members", "value": [{"value": one["id"]}]},
        {"op": "Add", "path": "members", "value": [{"$ref": None, "value": two["id"]}]},
    )  # fmt: skip
    assert {each["value"] for each in group["members"]} == {one["id"], two["id"]}
    asked = f'id eq "{group["id"]}" and members eq "{one["id"]}"'
    is_member = await house.hr.get("/Groups", params={"filter": asked})
    assert is_member.json()["totalResults"] == 1
    assert await role_of(house, one["id"])
    group = await patched(
        house, path, {"op": "Remove", "path": "members", "value": [{"value": one["id"]}]}
    )
    assert [each["value"] for each in group["members"]] == [two["id"]]
    assert await role_of(house, one["id"]) is None
    group = await patched(house, path, {"op": "Remove", "path": "members"})
    assert "members" not in group
    assert await role_of(house, two["id"]) is None
    renamed = await patched(house, path, {"op": "Replace", "path": "displayName", "value": "Ny"})
    assert renamed["displayName"] == "Ny"
    assert (await house.hr.delete(path)).status_code == 204


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"startIndex": 1, "count": 2}, 2),
        ({"startIndex": 0, "count": 1}, 1),
        ({"startIndex": -3, "count": 1}, 1),
        ({"count": 0}, 0),
        ({"count": -1}, 0),
        ({"startIndex": 100000}, 0),
    ],
)
async def test_pages_are_as_the_standard_counts_them(
    house: House, asked: dict[str, int], shown: int
) -> None:
    """RFC 7644 section 3.4.2.4: below one is one, a negative count is none."""
    for name in ("page1", "page2", "page3"):
        if not (await house.hr.get("/Users", params={"filter": f'userName eq "{name}"'})).json()[
            "totalResults"
        ]:
            await hired(house, name)
    answer = await house.hr.get("/Users", params={k: str(v) for k, v in asked.items()})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert len(told.get("Resources", [])) == told["itemsPerPage"] == shown
    assert told["totalResults"] >= 3
    assert told["startIndex"] >= 1


async def test_a_group_of_a_unit_that_has_closed_gives_nothing(house: House) -> None:
    await house.services.writer.write(SYSTEM, {
        "resourceType": "Organization", "id": "old-ward", "name": "Nedlagt", "active": False,
    })  # fmt: skip
    one = await hired(house, "too-late")
    answer = await house.hr.post("/Groups", json={
        "schemas": [GROUP, ROLE], "displayName": "Nedlagt",
        ROLE: {"unit": "old-ward", "title": "Pleier"}, "members": [{"value": one["id"]}],
    })  # fmt: skip
    assert answer.status_code == 201, answer.text
    assert await role_of(house, one["id"]) is None
