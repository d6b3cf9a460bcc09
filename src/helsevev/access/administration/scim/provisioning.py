"""Users and groups over the record: found, created, replaced, patched and removed (RFC 7644)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from scim2_models import (
    ForbiddenException,
    GroupMembership,
    InvalidValueException,
    NotFoundException,
    PatchOp,
    PreconditionFailedException,
    Resource,
    ScimFilter,
    SearchRequest,
    TooManyException,
    UniquenessException,
)

from helsevev.access import app_bounds
from helsevev.access.actor import Actor
from helsevev.access.administration.keeping import StaffKeeper, ended, now_text
from helsevev.access.administration.scim import mapping
from helsevev.access.administration.scim.candidates import candidates
from helsevev.access.administration.scim.models import NO_STAFF, Group, Role, Staff, User
from helsevev.access.errors import Conflict
from helsevev.access.scopes import Letter
from helsevev.access.unit_period import is_open
from helsevev.fhir import dates
from helsevev.fhir.identifiers import HPR_NUMMER, ORGANISASJONSNUMMER, RESH_ID
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.store import Stored

MOST_LOOKED_AT: Final = 20_000
"""So many are gone through where a filter names nobody; a larger house filters by a name."""

MOST_ON_PAGE: Final = 1000
MOST_MEMBERS: Final = 2000
_TYPES: Final = {"Users": "Practitioner", "Groups": "Group"}
_TOUCHES: Final = {
    "Users": ("Practitioner", "PractitionerRole"), "Groups": ("Group", "PractitionerRole"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Does for one system what its scopes and the rules allow. `base` is the address of /scim/v2.

    Raises the library's `SCIMException`s, and what the gate raises.
    """

    keeper: StaffKeeper
    actor: Actor
    base: str

    async def find(
        self, kind: str, asked: SearchRequest[Any], start: int, most: int
    ) -> tuple[int, list[Resource[Any]]]:
        """How many fit, and at most so many of them after the first `start`, in order of id."""
        await self._allow(kind, "s")
        rows = await self._rows(kind, asked.filter)
        shown = await self._shown(kind, rows)
        if asked.filter is not None:
            shown = [each for each in shown if asked.filter.match(each)]
        await self.keeper.trace(self.actor, "scim-search", f"{kind}?{asked.filter or ''}"[:400])
        return len(shown), shown[start : start + min(most, MOST_ON_PAGE)]

    async def get(self, kind: str, resource_id: str) -> Resource[Any]:
        """One of them."""
        await self._allow(kind, "r")
        stored = await self._stored(kind, resource_id)
        await self.keeper.trace(self.actor, "scim-read", stored.reference)
        (found,) = await self._shown(kind, [stored])
        return found

    async def create(self, kind: str, asked: Resource[Any]) -> Resource[Any]:
        """A new one. A person whom the system removed before is taken up again, by HPR number."""
        await self._allow(kind, "c")
        if isinstance(asked, User):
            current = await self._taken_up_again(asked)
            stored = await self._keep_user(asked, current)
        else:
            assert isinstance(asked, Group)
            stored = await self._keep_group(asked, None)
        (found,) = await self._shown(kind, [stored])
        return found

    async def replace(
        self, kind: str, resource_id: str, asked: Resource[Any], versions: Sequence[str]
    ) -> Resource[Any]:
        """Everything of it anew; `versions` are those of If-Match, none where there is none."""
        await self._allow(kind, "u")
        stored = await self._seen(kind, resource_id, versions)
        (before,) = await self._shown(kind, [stored])
        asked.replace(before)
        return await self._kept(kind, asked, stored)

    async def patch(
        self, kind: str, resource_id: str, change: PatchOp[Any], versions: Sequence[str]
    ) -> Resource[Any]:
        """Parts of it changed."""
        await self._allow(kind, "u")
        stored = await self._seen(kind, resource_id, versions)
        (found,) = await self._shown(kind, [stored])
        if not change.patch(found):
            return found
        return await self._kept(kind, found, stored)

    async def remove(self, kind: str, resource_id: str, versions: Sequence[str]) -> None:
        """A group ends with its roles; a person becomes inactive and is no user any longer."""
        await self._allow(kind, "d")
        stored = await self._seen(kind, resource_id, versions)
        if kind == "Users":
            roles = await self._roles_of([stored.reference])
            groups = await self.keeper.by_reference("Group", "member", [stored.reference])
            left = [_without(group.resource, stored.reference) for group in groups]
            await self.keeper.write(
                self.actor, [mapping.removed(stored.resource), *_all_ended(roles), *left]
            )
            return
        roles = await self._follow(stored.id)
        emptied = {**stored.resource, "active": False}
        emptied.pop("member", None)
        await self.keeper.write(self.actor, [emptied, *_all_ended(roles)])

    async def _kept(self, kind: str, asked: Resource[Any], stored: Stored) -> Resource[Any]:
        if isinstance(asked, User):
            kept = await self._keep_user(asked, stored)
        else:
            assert isinstance(asked, Group)
            kept = await self._keep_group(asked, stored)
        (found,) = await self._shown(kind, [kept])
        return found

    async def _keep_user(self, asked: User, current: Stored | None) -> Stored:
        resource = mapping.practitioner_of(asked, current.resource if current else {})
        await self._require_unique(asked, resource, current)
        entries = [resource]
        if current is not None:
            was, is_now = current.resource.get("active", True), resource["active"]
            if not is_now:
                entries += _all_ended(await self._roles_of([current.reference]))
            elif not was:
                entries += await self._given_back(current.reference, resource)
        if current is not None:
            return await self._stored_first(entries)
        # Two who hire the same person at once make one of them.
        name = mapping.folded(asked.user_name or "")
        stored = await self._stored_first(
            entries, f"identifier={quote(mapping.USER_NAME + '|' + _escaped(name))}"
        )
        if stored.version > 1 or stored.resource["identifier"] != resource["identifier"]:
            raise UniquenessException(detail=f"userName: {name!r} is user {stored.id} already.")
        return stored

    async def _keep_group(self, asked: Group, current: Stored | None) -> Stored:
        unit = await self._unit((asked[Role] or Role()).unit)
        wanted = list(dict.fromkeys(m.value for m in asked.members or () if m.value))
        if len(wanted) > MOST_MEMBERS:
            raise InvalidValueException(detail=f"members: at most {MOST_MEMBERS} in one group.")
        people = await self.keeper.read_many(f"Practitioner/{each}" for each in wanted)
        for each in wanted:
            person = people.get(f"Practitioner/{each}")
            if person is None or mapping.is_removed(person.resource):
                raise InvalidValueException(detail=f"members: there is no user {each[:64]!r}.")
        named = [(each, _name(people[f"Practitioner/{each}"].resource)) for each in wanted]
        group = mapping.fhir_group_of(asked, unit, named, current.resource if current else {})
        if current is None:
            group["id"] = keys.new_id("Group", keys.UNASSIGNED)
        roles = await self._roles_for(group["id"], group, people)
        return await self._stored_first([group, *roles])

    async def _roles_for(
        self, group_id: str, group: Mapping[str, Any], people: Mapping[str, Stored]
    ) -> list[dict[str, Any]]:
        """What has to be written so that exactly the active members have the group's role."""
        unit = group.get("managingEntity", {}).get("reference")
        title = group.get("code", {}).get("text")
        goes_on = await self._is_open(unit)
        due = {
            reference for reference, person in people.items()
            if goes_on and title and person.resource.get("active", True)
        }  # fmt: skip
        changes, has = [], set()
        for role in await self._follow(group_id):
            person = role.resource["practitioner"]["reference"]
            same = (
                role.resource.get("organization", {}).get("reference") == unit
                and role.resource.get("code", [{}])[0].get("text") == title
            )
            if person in due and same and person not in has:
                has.add(person)
            else:
                changes.append(ended(role.resource, now_text()))
        for reference in sorted(due - has):
            named = {"reference": reference, "display": _name(people[reference].resource)}
            changes.append(mapping.role_of(group_id, group, named, now_text()))
        return changes

    async def _given_back(self, person: str, resource: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The roles of the groups that somebody who comes back is still in."""
        named = {"reference": person, "display": _name(resource)}
        return [
            mapping.role_of(group.id, group.resource, named, now_text())
            for group in await self.keeper.by_reference("Group", "member", [person])
            if group.resource.get("active", True) and "code" in group.resource
            and await self._is_open(group.resource.get("managingEntity", {}).get("reference"))
        ]  # fmt: skip

    async def _is_open(self, unit: str | None) -> bool:
        """Whether a unit is there, and not closed: nobody has a role at one that is."""
        found = await self.keeper.read_many([unit]) if unit else {}
        at = dates.microseconds(clock.now())
        return any(is_open(each.resource, at) for each in found.values())

    async def _follow(self, group_id: str) -> list[Stored]:
        """The active roles that follow from a group."""
        found = await self.keeper.by_identifier("PractitionerRole", (mapping.ROLE_GROUP, group_id))
        return [role for role in found if role.resource.get("active", True)]

    async def _roles_of(self, people: list[str]) -> list[Stored]:
        found = await self.keeper.by_reference("PractitionerRole", "practitioner", people)
        return [role for role in found if role.resource.get("active", True)]

    async def _stored_first(self, entries: list[dict[str, Any]], unless: str = "") -> Stored:
        try:
            return (await self.keeper.write(self.actor, entries, unless))[0]
        except Conflict as problem:
            text = "Somebody else changed it at the same moment: read it and try again."
            raise PreconditionFailedException(detail=text) from problem

    async def _require_unique(
        self, asked: User, resource: Mapping[str, Any], current: Stored | None
    ) -> None:
        """That nobody else goes by the user name, the external id or the HPR number."""
        assert asked.user_name is not None
        hpr = (asked[Staff] or NO_STAFF).hpr_number
        for where, system, value in (
            ("userName", mapping.USER_NAME, mapping.folded(asked.user_name)),
            ("userName", HPR_NUMMER, mapping.folded(asked.user_name)),
            ("externalId", mapping.EXTERNAL_ID, asked.external_id),
            ("hprNumber", HPR_NUMMER, hpr),
        ):
            if not value:
                continue
            for other in await self.keeper.by_identifier("Practitioner", (system, value)):
                if current is None or other.id != current.id:
                    if where == "userName" and system == HPR_NUMMER and value == hpr:
                        continue
                    text = f"{where}: {value!r} is user {other.id} already."
                    raise UniquenessException(detail=text)

    async def _taken_up_again(self, asked: User) -> Stored | None:
        hpr = (asked[Staff] or NO_STAFF).hpr_number
        found = await self.keeper.by_identifier("Practitioner", (HPR_NUMMER, hpr)) if hpr else []
        return found[0] if len(found) == 1 and mapping.is_removed(found[0].resource) else None

    async def _unit(self, named: str | None) -> str | None:
        """The id of the Organization that a group names by id, organisation number or RESH id."""
        if not named:
            return None
        if await self.keeper.read_many([f"Organization/{named}"]):
            return named
        numbers = [(ORGANISASJONSNUMMER, named), (RESH_ID, named)]
        found = await self.keeper.by_identifier("Organization", *numbers)
        if len(found) != 1:
            raise InvalidValueException(detail=f"unit: there is no unit {named[:64]!r}.")
        return found[0].id

    async def _rows(self, kind: str, asked: ScimFilter[Any] | None) -> list[Stored]:
        wanted = None if asked is None else candidates(asked.ast)
        resource_type = _TYPES[kind]
        if wanted is None:
            rows = await self.keeper.every(resource_type, MOST_LOOKED_AT + 1)
            if len(rows) > MOST_LOOKED_AT:
                raise TooManyException(detail="Filter by userName, externalId, hprNumber or id.")
        else:
            found = await self.keeper.by_identifier(resource_type, *wanted.identifiers)
            by_id = await self.keeper.read_many(f"{resource_type}/{each}" for each in wanted.ids)
            rows = sorted({row.id: row for row in [*found, *by_id.values()]}.values(),
                          key=lambda row: row.id)  # fmt: skip
        return [row for row in rows if _is_known(kind, row)]

    async def _shown(self, kind: str, rows: Sequence[Stored]) -> list[Resource[Any]]:
        if kind == "Groups":
            return [mapping.group_of(row, f"{self.base}/Groups/{row.id}") for row in rows]
        groups: dict[str, list[GroupMembership]] = {}
        people = [row.reference for row in rows]
        for group in await self.keeper.by_reference("Group", "member", people):
            if group.resource.get("active", True):
                for person in mapping.members_of(group.resource):
                    told = GroupMembership.model_validate({
                        "value": group.id, "$ref": f"{self.base}/Groups/{group.id}",
                        "type": "direct", "display": group.resource.get("name"),
                    })  # fmt: skip
                    groups.setdefault(person, []).append(told)
        return [
            mapping.user_of(row, f"{self.base}/Users/{row.id}", groups.get(row.reference, ()))
            for row in rows
        ]

    async def _stored(self, kind: str, resource_id: str) -> Stored:
        found = await self.keeper.read(_TYPES[kind], resource_id)
        if found is None or not _is_known(kind, found):
            raise NotFoundException(detail=f"There is no {kind[:-1]} {resource_id[:64]}.")
        return found

    async def _seen(self, kind: str, resource_id: str, versions: Sequence[str]) -> Stored:
        found = await self._stored(kind, resource_id)
        if versions and "*" not in versions and f'W/"{found.version}"' not in versions:
            text = f'It is at version W/"{found.version}" now.'
            raise PreconditionFailedException(detail=text)
        return found

    async def _allow(self, kind: str, letter: Letter) -> None:
        """That the rules and the system's scopes allow it, before anything is looked up."""
        if self.actor.kind != "system":
            raise ForbiddenException(detail="Only a registered system provisions people.")
        await self.keeper.decide(self.actor, _TYPES[kind])
        # A person or a group is removed by being ended: what is written is never deleted.
        letters: tuple[Letter, ...] = ("r", "s") if letter in "rs" else ("c", "u", "d")
        for touched in _TOUCHES[kind] if letter not in "rs" else (_TYPES[kind],):
            if not app_bounds.covers(self.actor, letters, touched, keys.REFERENCE, None):
                text = f"The system has no scope for this: system/{touched}.{letter}."
                raise ForbiddenException(detail=text)


def _escaped(value: str) -> str:
    """A value in a search, where some characters part values (R4 3.1.1.4.0.1)."""
    return "".join(f"\\{each}" if each in "\\|,$" else each for each in value)


def _is_known(kind: str, row: Stored) -> bool:
    resource = row.resource
    if kind == "Users":
        return not mapping.is_removed(resource)
    return resource.get("type") == "practitioner" and bool(resource.get("active", True))


def _all_ended(roles: Sequence[Stored]) -> list[dict[str, Any]]:
    return [ended(role.resource, now_text()) for role in roles]


def _without(group: Mapping[str, Any], person: str) -> dict[str, Any]:
    left = [m for m in group["member"] if m["entity"].get("reference") != person]
    return {
        **{k: v for k, v in group.items() if k != "member"},
        **({"member": left} if left else {}),
    }


def _name(practitioner: Mapping[str, Any]) -> str:
    name = practitioner.get("name", [{}])[0]
    return str(name.get("text") or " ".join([*name.get("given", ()), name.get("family", "")]))
