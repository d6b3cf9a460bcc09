"""The HR system provisions people and roles by SCIM 2.0, through a client that is not ours."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from litestar.exceptions import LitestarDeprecationWarning
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import check_server

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.services import Services, services_over
from helsevev.access.staff import actor_of_role
from helsevev.access.subscriptions.wiring import Outward
from helsevev.kit.settings import Settings
from helsevev.main import build_app
from helsevev.record.database import Database

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADDRESS = "http://record.example"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
STAFF = "urn:ietf:params:scim:schemas:extension:helsevev:2.0:Staff"
ROLE = "urn:ietf:params:scim:schemas:extension:helsevev:2.0:Role"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SCOPES = ("system/Practitioner.cruds", "system/PractitionerRole.cruds", "system/Group.cruds",
          "system/Organization.rs")  # fmt: skip


class House:
    """The application, and the HR system's client."""

    def __init__(self, services: Services, application: Any) -> None:
        self.services, self.application = services, application
        self.hr: httpx.AsyncClient

    async def client(self, scopes: tuple[str, ...] | None, **actor: Any) -> httpx.AsyncClient:
        """A client with a token that has such scopes."""
        usual = {"kind": "system", "id": "Device/hr", "name": "HR", "profession": "system",
                 "role": "system", "client": "hr"}  # fmt: skip
        token = await self.services.credentials.issue_token(
            Actor(**{**usual, **actor}, scopes=scopes)
        )
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.application), base_url=f"{ADDRESS}/scim/v2",
            headers={"authorization": f"Bearer {token}"},
        )  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """A hospital with a ward."""
    folder: Path = tmp_path_factory.mktemp("scim")
    services = services_over(database, {}, (), Outward(f"{ADDRESS}/fhir"), folder, folder)
    part = {"partOf": {"reference": "Organization/hospital"}}
    for unit, more in (("hospital", {}), ("ward", part)):
        resh = {"system": "urn:oid:2.16.578.1.12.4.1.4.102", "value": f"10{len(unit)}"}
        await services.writer.write(SYSTEM, {
            "resourceType": "Organization", "id": unit, "name": unit.capitalize(), "active": True,
            "identifier": [resh],
        } | more)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        application = build_app(Settings(data=folder, address=ADDRESS), services)
    made = House(services, application)
    made.hr = await made.client(SCOPES)
    yield made
    await made.hr.aclose()


async def hired(house: House, user_name: str, **more: Any) -> dict[str, Any]:
    """Somebody who is employed."""
    answer = await house.hr.post("/Users", json={
        "schemas": [USER, STAFF], "userName": user_name,
        "name": {"familyName": "Nes", "givenName": user_name.capitalize()},
        STAFF: {"profession": "SP"},
    } | more)  # fmt: skip
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def nurses(house: House, *people: str, title: str = "Sykepleier") -> dict[str, Any]:
    """A group of people who are nurses on the ward."""
    answer = await house.hr.post("/Groups", json={
        "schemas": [GROUP, ROLE], "displayName": f"{title}, Ward",
        ROLE: {"unit": "104", "title": title},
        "members": [{"value": each} for each in people],
    })  # fmt: skip
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def role_of(house: House, person: str) -> Actor | None:
    """The actor of somebody's first role that holds."""
    found = await house.services.gate.store.roles.owner.fetch(
        "SELECT source_id FROM staff_standing WHERE person = $1 AND unit <> ''",
        f"Practitioner/{person}",
    )
    return await actor_of_role(house.services.gate.store, found[0]["source_id"]) if found else None


async def test_who_is_hired_and_put_in_a_group_has_that_role_at_that_unit(house: House) -> None:
    kari = await hired(house, "kari@ward.example", externalId="e-1")
    await nurses(house, kari["id"])
    actor = await role_of(house, kari["id"])
    assert actor is not None
    assert (actor.profession, actor.role, actor.organisations) == (
        "nurse", "Sykepleier", ("Organization/ward", "Organization/hospital"),
    )  # fmt: skip


async def test_who_is_deactivated_is_signed_out_everywhere_at_once(house: House) -> None:
    services, credentials = house.services, house.services.credentials
    ola = await hired(house, "ola")
    group = await nurses(house, ola["id"], title="Spesialsykepleier")
    actor = await role_of(house, ola["id"])
    assert actor is not None
    session, token = await credentials.start_session(actor), await credentials.issue_token(actor)
    await services.gate.store.roles.owner.execute(
        "INSERT INTO quick_pin (person, hash, digits, set_at) VALUES ($1, 'x', 4, now())", actor.id
    )
    await credentials.follow()
    assert await credentials.session_actor(session)
    assert await credentials.token_actor(token)
    answer = await house.hr.patch(f"/Users/{ola['id']}", json={
        "schemas": [PATCH], "Operations": [{"op": "Replace", "path": "active", "value": "False"}],
    })  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert answer.json()["active"] is False
    for _ in range(100):
        if not (await credentials.session_actor(session) or await credentials.token_actor(token)):
            break
        await asyncio.sleep(0.02)
    assert await credentials.session_actor(session) is None
    assert await credentials.token_actor(token) is None
    left = "SELECT count(*) FROM quick_pin WHERE person = $1"
    assert await services.gate.store.roles.owner.fetchval(left, actor.id) == 0
    assert await role_of(house, ola["id"]) is None
    back = await house.hr.patch(f"/Users/{ola['id']}", json={
        "schemas": [PATCH], "Operations": [{"op": "replace", "value": {"active": True}}],
    })  # fmt: skip
    assert back.json()["groups"][0]["value"] == group["id"]
    again = await role_of(house, ola["id"])
    assert again is not None
    assert again.practitioner_role != actor.practitioner_role


async def test_who_leaves_a_group_keeps_what_others_give(house: House) -> None:
    eva = await hired(house, "eva")
    first = await nurses(house, eva["id"], title="Teamleder")
    await nurses(house, eva["id"], title="Fagsykepleier")
    answer = await house.hr.patch(f"/Groups/{first['id']}", json={
        "schemas": [PATCH],
        "Operations": [{"op": "remove", "path": f'members[value eq "{eva["id"]}"]'}],
    })  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert "members" not in answer.json()
    actor = await role_of(house, eva["id"])
    assert actor is not None
    assert actor.role == "Fagsykepleier"


async def test_the_same_request_twice_changes_nothing(house: House) -> None:
    per = await hired(house, "per", externalId="e-per")
    group = await nurses(house, per["id"], title="Nattevakt")
    before = await role_of(house, per["id"])
    for path, body in ((f"/Users/{per['id']}", per), (f"/Groups/{group['id']}", group)):
        answer = await house.hr.put(path, json=body, headers={"if-match": body["meta"]["version"]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["meta"]["version"] == body["meta"]["version"]
    assert await role_of(house, per["id"]) == before


async def test_who_is_removed_is_gone_but_what_they_wrote_still_names_them(house: House) -> None:
    hpr = {STAFF: {"hprNumber": "999012345", "profession": "LE"}}
    lise = await hired(house, "lise", **hpr)
    assert (await house.hr.delete(f"/Users/{lise['id']}")).status_code == 204
    assert (await house.hr.get(f"/Users/{lise['id']}")).status_code == 404
    listed = await house.hr.get("/Users", params={"filter": 'userName eq "lise"'})
    assert listed.json()["totalResults"] == 0
    stored = await house.services.gate.store.read("Practitioner", lise["id"])
    assert stored is not None
    assert not stored.resource["active"]
    # The same person is hired again.
    assert (await hired(house, "lise2", **hpr))["id"] == lise["id"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ('userName eq "FIND-ME"', 1),
        ('externalId eq "e-find"', 1),
        ('externalId eq "E-FIND"', 0),
        (f'{STAFF}:hprNumber eq "999055555"', 1),
        ('userName eq "find-me" and externalId eq "e-find"', 1),
        ('userName eq "find-me" and active eq false', 0),
        ('userName eq "nobody" or externalId eq "e-find"', 1),
        ('name.familyName sw "Fin" and not (active eq false)', 1),
    ],
)
async def test_people_are_found_by_what_they_are_called(
    house: House, asked: str, found: int
) -> None:
    there = await house.hr.get("/Users", params={"filter": 'externalId eq "e-find"'})
    if not there.json()["totalResults"]:
        await hired(house, "Find-Me", externalId="e-find", name={"familyName": "Finnes"},
                    **{STAFF: {"hprNumber": "999055555"}})  # fmt: skip
    answer = await house.hr.get("/Users", params={"filter": asked})
    assert answer.status_code == 200, answer.text
    assert answer.json()["totalResults"] == found


async def test_pages_hold_everybody_once(house: House) -> None:
    total = (await house.hr.get("/Users", params={"count": 0})).json()["totalResults"]
    seen: list[str] = []
    while len(seen) < total:
        page = await house.hr.get("/Users", params={"startIndex": len(seen) + 1, "count": 2})
        assert page.json()["totalResults"] == total
        seen += [each["id"] for each in page.json()["Resources"]]
    assert len(set(seen)) == total


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", "/Users", {"schemas": [USER]}, 400, "invalidValue"),
        ("POST", "/Users", {"schemas": [USER], "userName": " "}, 400, "invalidValue"),
        ("POST", "/Users", {"schemas": [USER], "userName": 7}, 400, "invalidValue"),
        ("POST", "/Users", {"schemas": [USER], "userName": "a\u0000b"}, 400, "invalidValue"),
        ("POST", "/Users", [], 400, "invalidSyntax"),
        ("POST", "/Users", {"schemas": [USER, STAFF], "userName": "x", STAFF: {"hprNumber": "12"}},
         400, "invalidValue"),
        ("POST", "/Users", {"schemas": [USER, STAFF], "userName": "x", STAFF: {"profession": "?"}},
         400, "invalidValue"),
        ("POST", "/Groups", {"schemas": [GROUP, ROLE], "displayName": "x", ROLE: {"unit": "none"}},
         400, "invalidValue"),
        ("POST", "/Groups", {"schemas": [GROUP], "displayName": "x", "members": [{"value": "n"}]},
         400, "invalidValue"),
        ("GET", "/Users?filter=userName eq", None, 400, "invalidFilter"),
        ("GET", "/Users?filter=nothing eq 1", None, 400, "invalidFilter"),
        ("GET", "/Users/nobody", None, 404, None),
        ("PATCH", "/Users/nobody", {"schemas": [PATCH], "Operations": [{"op": "remove"}]}, 400,
         "noTarget"),
        ("DELETE", "/Users", None, 405, None),
        ("GET", "/Elsewhere", None, 404, None),
    ],
)  # fmt: skip
async def test_what_cannot_be_done_is_said_as_scim_says_it(
    house: House, method: str, path: str, body: Any, status: int, kind: str | None
) -> None:
    answer = await house.hr.request(method, path, json=body)
    told = answer.json()
    assert (answer.status_code, told["status"]) == (status, str(status)), answer.text
    assert told.get("scimType") == kind
    assert told["detail"]


async def test_a_name_belongs_to_one_also_when_two_hire_at_once(house: House) -> None:
    asked = [
        house.hr.post("/Users", json={"schemas": [USER], "userName": name})
        for name in ("twice", "Twice", "TWICE")
    ]
    found = sorted([each.status_code for each in await asyncio.gather(*asked)])
    assert found == [201, 409, 409]


async def test_a_version_that_was_overtaken_is_not_written_over(house: House) -> None:
    ada = await hired(house, "ada")
    path, version = f"/Users/{ada['id']}", ada["meta"]["version"]
    same = await house.hr.get(path, headers={"if-none-match": version})
    assert (same.status_code, same.content) == (304, b"")
    change = {
        "schemas": [PATCH],
        "Operations": [{"op": "add", "path": "displayName", "value": "A"}],
    }
    first = await house.hr.patch(path, json=change, headers={"if-match": version})
    assert first.headers["etag"] != version
    change["Operations"][0]["value"] = "B"  # type: ignore[index]
    assert (
        await house.hr.patch(path, json=change, headers={"if-match": version})
    ).status_code == 412
    assert (await house.hr.get(path)).json()["displayName"] == "A"


@pytest.mark.parametrize("scopes", [("system/Patient.cruds",), ("system/Practitioner.rs",), ()])
async def test_scopes_bound_what_a_system_provisions(house: House, scopes: tuple[str, ...]) -> None:
    async with await house.client(scopes) as narrow:
        made = await narrow.post("/Users", json={"schemas": [USER], "userName": "narrow"})
        assert made.status_code == 403, made.text
        read = await narrow.get("/Users")
        assert read.status_code == (200 if "system/Practitioner.rs" in scopes else 403)


async def test_nobody_provisions_without_a_systems_token(house: House) -> None:
    async with await house.client(
        None, kind="practitioner", id="Practitioner/x", profession="system-administrator"
    ) as person:
        assert (await person.get("/Users")).status_code == 403
    async with await house.client(SCOPES) as known:
        for header in ("", "Basic eDp5", "Bearer wrong"):
            answer = await known.get("/Users", headers={"authorization": header})
            assert answer.status_code == 401
            assert answer.json()["status"] == "401"


async def test_all_that_is_provisioned_is_in_the_trail(house: House) -> None:
    kari = await hired(house, "traced")
    rows = await house.services.gate.store.roles.owner.fetch(
        "SELECT interaction, target FROM audit_event WHERE action = 'write'"
    )
    assert any(kari["id"] in row["target"] for row in rows)


def bridged(application: Any, loop: asyncio.AbstractEventLoop) -> Any:
    """The application for a client that waits in a thread while the loop goes on (PEP 3333)."""

    def answer(environ: dict[str, Any], start: Any) -> list[bytes]:
        async def sent() -> httpx.Response:
            transport = httpx.ASGITransport(application)
            async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
                return await client.request(
                    environ["REQUEST_METHOD"],
                    f"{environ['SCRIPT_NAME']}{environ['PATH_INFO']}?{environ['QUERY_STRING']}",
                    content=environ["wsgi.input"].read(),
                    headers={
                        name[5:].replace("_", "-"): value
                        for name, value in environ.items() if name.startswith("HTTP_")
                    },
                )  # fmt: skip

        found = asyncio.run_coroutine_threadsafe(sent(), loop).result(30)
        start(f"{found.status_code} {found.reason_phrase}", list(found.headers.items()))
        return [found.content]

    return answer


async def test_scim2_tester_finds_nothing_wrong(house: House) -> None:
    application = bridged(house.application, asyncio.get_running_loop())
    client = WSGISCIMClient(
        application, f"{ADDRESS}/scim/v2",
        headers={"Authorization": house.hr.headers["authorization"]},
    )  # fmt: skip
    results = await asyncio.to_thread(check_server, client)
    told = [(str(each.status), each.title, each.reason) for each in results]
    assert len(told) > 50
    # It makes up units and HPR numbers, and expects somebody to be neither active nor not.
    ours = ("there is no unit", "hprNumber: ", "did not remove attribute 'active'")
    wrong = [
        f"{title}: {reason}"
        for status, title, reason in told
        if status not in ("Status.SUCCESS", "Status.SKIPPED")
        and not any(each in (reason or "") for each in ours)
    ]
    assert wrong == [], "\n".join(wrong)
