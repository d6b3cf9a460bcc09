"""Who asks: a person in a role at a unit, an inhabitant, or a system."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import msgspec

from helsevev.content.loading import professions

Kind = Literal["practitioner", "inhabitant", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """One who opens and writes, in the role chosen at sign-in.

    `id` is a reference (`Practitioner/x`, `Patient/x`, `Device/x`); `organisations` are the unit
    worked in and every organisation it is part of, nearest first; `patient` is the reference of
    the actor's own record, `practitioner_role` that of the role. When an app acts for the actor,
    `client` is its id, `scopes` are what it was granted (None: not limited by scopes), and
    `launch_patient` is the inhabitant that its `patient/` scopes are for. `assurance` is how sure
    it is who this is ("high": a national login, "local": an emergency login, "demo"); `session` is
    the id of the session, no secret. An inhabitant who acts for somebody else has that person's
    record as `patient`, and `acting` says as what: parent, power-of-attorney or guardian.
    """

    kind: Kind
    id: str
    name: str
    profession: str
    role: str
    organisation: str = ""
    organisation_name: str = ""
    unit_name: str = ""
    organisations: tuple[str, ...] = ()
    patient: str | None = None
    practitioner_role: str | None = None
    client: str = ""
    scopes: tuple[str, ...] | None = None
    launch_patient: str | None = None
    assurance: str = ""
    session: str = field(default="", compare=False)
    acting: str = ""

    @property
    def grantees(self) -> tuple[str, ...]:
        """The references to which a treatment relation may give this actor access."""
        role = (self.practitioner_role,) if self.practitioner_role else ()
        return (self.id, *role, *self.organisations)

    @property
    def person(self) -> tuple[str, ...]:
        """The references that name the actor themselves."""
        return (self.id, self.practitioner_role) if self.practitioner_role else (self.id,)

    @property
    def unit(self) -> tuple[str, ...]:
        """The reference of the unit worked in."""
        return self.organisations[:1]

    @property
    def leads(self) -> bool:
        """Whether the role is to lead the unit."""
        return self.kind == "practitioner" and self.role in professions().leaders

    def as_data(self) -> dict[str, Any]:
        """The actor as plain data, for a session or a token."""
        return asdict(self)


def actor_of(data: dict[str, Any] | str | bytes) -> Actor:
    """The actor that `data` (plain, or JSON) describes; raises `msgspec.ValidationError`."""
    if isinstance(data, str | bytes):
        return msgspec.json.decode(data, type=Actor)
    known = {name: value for name, value in data.items() if name in Actor.__dataclass_fields__}
    return msgspec.convert(known, type=Actor)


SYSTEM = Actor(
    kind="system", id="Device/helsevev", name="Helsevev", profession="system", role="system"
)
"""The program itself: imports, demo data, jobs."""
