"""What we tell and take of people and roles, as SCIM's schemas (RFC 7643) have them.

The attributes of User and Group that the record has a place for, and two extensions of our own.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field
from scim2_models import (
    URN,
    CaseExact,
    ComplexAttribute,
    Extension,
    GroupMembership,
    Mutability,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    Uniqueness,
)

from helsevev.content.loading import professions

STAFF: Final = "urn:ietf:params:scim:schemas:extension:helsevev:2.0:Staff"
ROLE: Final = "urn:ietf:params:scim:schemas:extension:helsevev:2.0:Role"
TOLERANT: Final = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
"""What HR systems send of what we have no place for is left out; nothing of ours is guessed."""


class Kind(StrEnum):
    """What an address or a number is for."""

    work = "work"
    home = "home"
    mobile = "mobile"
    other = "other"


class Name(ComplexAttribute):
    """A person's name."""

    family_name: str | None = None
    given_name: str | None = None


class Email(ComplexAttribute):
    """An e-mail address."""

    value: str | None = None
    type: Kind | None = Field(None, examples=["work", "home", "other"])
    primary: bool | None = None


class PhoneNumber(ComplexAttribute):
    """A telephone number."""

    value: str | None = None
    type: Kind | None = Field(None, examples=["work", "home", "mobile", "other"])
    primary: bool | None = None


class Staff(Extension):
    """What Norwegian health services know of those who work there."""

    __schema__ = URN(STAFF)

    hpr_number: Annotated[str | None, Uniqueness.server] = None
    """The number in the register of health personnel, by which somebody signs in."""
    profession: Annotated[str | None, CaseExact.true] = Field(
        None, examples=sorted(professions().approval)
    )
    """The category of health personnel: a code of Volven 9060."""
    employee_number: str | None = None
    """The number in the HR system."""


NO_STAFF: Final = Staff.model_construct()
"""Nothing is known of it."""


class Role(Extension):
    """Which role at which unit the members of a group have."""

    __schema__ = URN(ROLE)

    unit: Annotated[str | None, CaseExact.true] = None
    """The unit's id in the record, or its organisation number or RESH id."""
    title: Annotated[str | None, CaseExact.true] = None
    """What the role is called; rules of access look at some titles."""


class User(Resource[Staff]):
    """Somebody who works here: a Practitioner."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    name: Name | None = None
    display_name: str | None = None
    active: bool | None = None
    emails: list[Email] | None = None
    phone_numbers: list[PhoneNumber] | None = None
    groups: Annotated[list[GroupMembership] | None, Mutability.read_only] = None


class Member(ComplexAttribute):
    """One who has the role of a group."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    ref: Annotated[Reference[User] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])


class Group(Resource[Role]):
    """A role at a unit, and who has it."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    members: list[Member] | None = None


MODELS: Final[dict[str, type[Resource[Any]]]] = {"Users": User, "Groups": Group}


def resource_types() -> list[ResourceType]:
    """What there is, for /ResourceTypes."""
    return [ResourceType.from_resource(model) for model in MODELS.values()]
