"""From SCIM's users and groups to Practitioner, PractitionerRole and Group, and back.

A Practitioner keeps all that SCIM has no place for: specialities, other identifiers, photographs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from scim2_models import InvalidValueException, Meta, Reference

from helsevev.access.administration.scim.models import (
    NO_STAFF,
    Email,
    Group,
    Kind,
    Member,
    Name,
    PhoneNumber,
    Role,
    Staff,
    User,
)
from helsevev.content.loading import professions
from helsevev.fhir.identifiers import HPR_NUMMER
from helsevev.record.store import Stored

Resource = dict[str, Any]
_NAMING: Final = "https://helsevev.example/fhir/NamingSystem"
USER_NAME: Final = f"{_NAMING}/user-name"
EXTERNAL_ID: Final = f"{_NAMING}/external-id"
EMPLOYEE: Final = f"{_NAMING}/employee-number"
ROLE_GROUP: Final = f"{_NAMING}/role-group"
"""On a PractitionerRole: the Group that it follows from."""

AS_WRITTEN: Final = "https://helsevev.example/fhir/StructureDefinition/as-written"
STATE: Final = "https://helsevev.example/fhir/CodeSystem/staff-state"
REMOVED: Final = "removed"
"""A tag on a Practitioner who was removed by the HR system; what they wrote still names them."""

_HPR: Final = re.compile(r"[0-9]{7,9}")
_LONGEST: Final = 256


def folded(user_name: str) -> str:
    """A user name as it is compared: case says nothing (RFC 7643 section 4.1.1)."""
    return user_name.strip().casefold()


def is_removed(practitioner: Mapping[str, Any]) -> bool:
    """Whether the HR system has removed this person."""
    tags = practitioner.get("meta", {}).get("tag", ())
    return any(tag.get("system") == STATE and tag.get("code") == REMOVED for tag in tags)


def value_of(resource: Mapping[str, Any], system: str) -> str | None:
    """The value of the identifier with this system."""
    found = _identifier(resource, system)
    return None if found is None else str(found.get("value", ""))


def user_of(stored: Stored, location: str, groups: Iterable[Any]) -> User:
    """The user that a Practitioner is: without a user name known by the HPR number, or the id."""
    resource = stored.resource
    name = resource.get("name", [{}])[0]
    given, family = " ".join(name.get("given", ())), name.get("family", "")
    hpr, profession = value_of(resource, HPR_NUMMER), _profession(resource)
    employee = value_of(resource, EMPLOYEE)
    user = User(
        id=stored.id,
        external_id=value_of(resource, EXTERNAL_ID),
        user_name=_user_name(resource) or hpr or stored.id,
        name=Name(
            family_name=family or None,
            given_name=given or None,
        ) if given or family else None,
        display_name=name.get("text"),
        active=resource.get("active", True),
        emails=[Email(**each) for each in _points(resource, "email")] or None,
        phone_numbers=[PhoneNumber(**each) for each in _points(resource, "phone")] or None,
        groups=list(groups) or None,
        meta=_meta(stored, "User", location),
    )  # fmt: skip
    if hpr or profession or employee:
        user[Staff] = Staff(hpr_number=hpr, profession=profession, employee_number=employee)
    return user


def practitioner_of(user: User, current: Mapping[str, Any]) -> Resource:
    """The Practitioner that a user makes of `current` ({}: a new one).

    Raises `InvalidValueException` that names the attribute.
    """
    staff = user[Staff] or NO_STAFF
    _check(user, staff)
    assert user.user_name is not None
    folded_name = folded(user.user_name)
    name: Resource = {"system": USER_NAME, "value": folded_name}
    if user.user_name != folded_name:
        name["extension"] = [{"url": AS_WRITTEN, "valueString": user.user_name}]
    ours = [
        name,
        *_identified(EXTERNAL_ID, user.external_id),
        *_identified(EMPLOYEE, staff.employee_number),
        *_identified(HPR_NUMMER, staff.hpr_number),
    ]
    systems = {USER_NAME, EXTERNAL_ID, EMPLOYEE, HPR_NUMMER}
    others = [i for i in current.get("identifier", ()) if i.get("system") not in systems]
    points = [
        *_telecom("email", user.emails or ()), *_telecom("phone", user.phone_numbers or ()),
        *(t for t in current.get("telecom", ()) if t.get("system") not in ("email", "phone")),
    ]  # fmt: skip
    found: Resource = {
        **current,
        "resourceType": "Practitioner",
        "identifier": [*ours, *others],
        "active": user.active is not False,
        "name": [_human_name(user), *current.get("name", ())[1:]],
        "telecom": points,
        "qualification": _qualifications(current, staff.profession),
        "meta": _without_tag(current.get("meta", {})),
    }
    return {key: value for key, value in found.items() if value not in ([], {}, [{}])}


def group_of(stored: Stored, location: str) -> Group:
    """The group that a FHIR Group of practitioners is."""
    resource = stored.resource
    people = [member["entity"]["reference"].partition("/")[2] for member in _members(resource)]
    base = location.rpartition("/Groups/")[0]
    group = Group(
        id=stored.id,
        external_id=value_of(resource, EXTERNAL_ID),
        display_name=resource.get("name", ""),
        members=[
            Member(value=person, ref=Reference[User](f"{base}/Users/{person}"), type="User")
            for person in people
        ] or None,
        meta=_meta(stored, "Group", location),
    )  # fmt: skip
    unit = resource.get("managingEntity", {}).get("reference", "").partition("/")[2]
    title = resource.get("code", {}).get("text")
    if unit or title:
        group[Role] = Role(unit=unit or None, title=title)
    return group


def fhir_group_of(
    group: Group, unit: str | None, people: Iterable[tuple[str, str]], current: Mapping[str, Any]
) -> Resource:
    """The FHIR Group; `unit` is an Organization's id, `people` ids of Practitioners with names."""
    _short("displayName", group.display_name)
    _short("externalId", group.external_id)
    title = (group[Role] or Role()).title
    _short("title", title)
    others = [i for i in current.get("identifier", ()) if i.get("system") != EXTERNAL_ID]
    found: Resource = {
        **current,
        "resourceType": "Group",
        "identifier": [*_identified(EXTERNAL_ID, group.external_id), *others],
        "active": True,
        "type": "practitioner",
        "actual": True,
        "name": group.display_name,
        "code": {"text": title} if title else {},
        "managingEntity": {"reference": f"Organization/{unit}"} if unit else {},
        "member": [
            {"entity": {"reference": f"Practitioner/{person}"} | ({"display": n} if n else {})}
            for person, n in people
        ],
    }
    return {key: value for key, value in found.items() if value not in ([], {})}


def members_of(group: Mapping[str, Any]) -> list[str]:
    """Whom a FHIR Group names, as references."""
    return [member["entity"]["reference"] for member in _members(group)]


def role_of(
    group_id: str, group: Mapping[str, Any], person: Mapping[str, Any], now: str
) -> Resource:
    """A new PractitionerRole for a member of a group, from now on."""
    return {
        "resourceType": "PractitionerRole",
        "identifier": [{"system": ROLE_GROUP, "value": group_id}],
        "active": True,
        "period": {"start": now},
        "practitioner": dict(person),
        "organization": dict(group["managingEntity"]),
        "code": [{"text": group["code"]["text"]}],
    }


def removed(practitioner: Mapping[str, Any]) -> Resource:
    """A Practitioner whom the HR system removes: inactive, and no user any longer."""
    systems = {USER_NAME, EXTERNAL_ID}
    meta = dict(practitioner.get("meta", {}))
    meta["tag"] = [*meta.get("tag", ()), {"system": STATE, "code": REMOVED}]
    kept = [i for i in practitioner.get("identifier", ()) if i.get("system") not in systems]
    found = {**practitioner, "active": False, "meta": meta, "identifier": kept}
    return {key: value for key, value in found.items() if value != []}


def _members(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for member in resource.get("member", ()):
        if member.get("entity", {}).get("reference", "").startswith("Practitioner/"):
            yield member


def _identifier(resource: Mapping[str, Any], system: str) -> Mapping[str, Any] | None:
    identifiers = resource.get("identifier", ())
    return next((each for each in identifiers if each.get("system") == system), None)


def _identified(system: str, value: str | None) -> list[Resource]:
    return [{"system": system, "value": value}] if value else []


def _user_name(resource: Mapping[str, Any]) -> str | None:
    found = _identifier(resource, USER_NAME)
    if found is None:
        return None
    written = (e for e in found.get("extension", ()) if e.get("url") == AS_WRITTEN)
    return str(next((each["valueString"] for each in written), found["value"]))


def _human_name(user: User) -> Resource:
    name = user.name or Name()
    found = {
        "use": "official", "text": user.display_name, "family": name.family_name,
        "given": (name.given_name or "").split(),
    }  # fmt: skip
    kept = {key: value for key, value in found.items() if value}
    return kept if len(kept) > 1 else {}


def _points(resource: Mapping[str, Any], system: str) -> Iterator[dict[str, Any]]:
    for point in resource.get("telecom", ()):
        if point.get("system") == system and point.get("value"):
            use = point.get("use")
            kind = Kind(use) if use in ("work", "home", "mobile") else None
            written = (e for e in point.get("extension", ()) if e.get("url") == AS_WRITTEN)
            kind = next((Kind(each["valueString"]) for each in written), kind)
            yield {"value": point["value"], "type": kind,
                   "primary": point.get("rank") == 1}  # fmt: skip


def _telecom(system: str, given: Iterable[Email | PhoneNumber]) -> Iterator[Resource]:
    for each in given:
        if not each.value or not each.value.strip():
            continue
        _short(f"{system}s.value", each.value)
        point: Resource = {"system": system, "value": each.value}
        if each.type in (Kind.work, Kind.home, Kind.mobile):
            point["use"] = str(each.type)
        elif each.type is not None:
            point["extension"] = [{"url": AS_WRITTEN, "valueString": str(each.type)}]
        yield point | ({"rank": 1} if each.primary else {})


def _profession(resource: Mapping[str, Any]) -> str | None:
    system = professions().system
    for qualification in resource.get("qualification", ()):
        for coding in qualification.get("code", {}).get("coding", ()):
            if coding.get("system") == system:
                return str(coding.get("code"))
    return None


def _qualifications(current: Mapping[str, Any], profession: str | None) -> list[Resource]:
    """Those there are; the category of health personnel is replaced where it is another one."""
    there = list(current.get("qualification", ()))
    if profession == _profession(current):
        return there
    system = professions().system
    others = [
        each
        for each in there
        if all(c.get("system") != system for c in each.get("code", {}).get("coding", ()))
    ]
    code = {"coding": [{"system": system, "code": profession}]}
    return [{"code": code}, *others] if profession else others


def _without_tag(meta: Mapping[str, Any]) -> Resource:
    tags = [tag for tag in meta.get("tag", ()) if tag.get("system") != STATE]
    rest = {key: value for key, value in meta.items() if key != "tag"}
    return rest | ({"tag": tags} if tags else {})


def _meta(stored: Stored, kind: str, location: str) -> Meta:
    changed = datetime.fromisoformat(stored.resource["meta"]["lastUpdated"])
    return Meta(
        resource_type=kind, location=location, version=f'W/"{stored.version}"',
        last_modified=changed,
    )  # fmt: skip


def _check(user: User, staff: Staff) -> None:
    if not user.user_name or not folded(user.user_name):
        raise InvalidValueException(detail="userName: say who it is.")
    if staff.hpr_number is not None and not _HPR.fullmatch(staff.hpr_number):
        raise InvalidValueException(detail="hprNumber: an HPR number has 7 to 9 digits.")
    known = professions().approval
    if staff.profession is not None and staff.profession not in known:
        listed = ", ".join(sorted(known))
        raise InvalidValueException(detail=f"profession: one of {listed} (Volven 9060).")
    name = user.name or Name()
    for where, value in (
        ("userName", user.user_name), ("externalId", user.external_id),
        ("displayName", user.display_name), ("name.familyName", name.family_name),
        ("name.givenName", name.given_name), ("employeeNumber", staff.employee_number),
    ):  # fmt: skip
        _short(where, value)


def _short(where: str, value: str | None) -> None:
    """That it can be kept as it is: no longer than a name, no control characters, not blank."""
    if value is None:
        return
    if not value.strip() or len(value) > _LONGEST or not value.isprintable():
        text = f"{where}: between 1 and {_LONGEST} printable characters."
        raise InvalidValueException(detail=text)
