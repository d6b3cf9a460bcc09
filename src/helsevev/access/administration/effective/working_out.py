"""What people can do, worked out by asking the rules themselves; nothing here allows or refuses.

Three questions: what a role gives, what one person can do and to how many records, and who can open
one inhabitant's record now and why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.administration.keeping import SQL, StaffKeeper
from helsevev.access.errors import NotFound
from helsevev.access.gate import author_of
from helsevev.access.policy import Closeness, Facts, decide, may_write, rules_on_entry
from helsevev.access.staff import actor_of_role, name_of
from helsevev.content.loading import categories, professions
from helsevev.fhir import dates
from helsevev.fhir.compartment import is_clinical
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.audit import audit_row
from helsevev.record.wall import beyond

MOST_ROLES: Final = 600
"""So many roles at the units that treat somebody are looked at one by one."""

RELATIONS: Final[tuple[Closeness, ...]] = ("none", "stated", "organisation", "unit", "personal")
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """What a profession may do, by relation; and which types it writes in records open to it."""

    profession: str
    rows: tuple[Row, ...]
    withheld: tuple[Row, ...]
    writes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleReach:
    """One role of a person: as whom, and how many inhabitants it reaches through what."""

    actor: Actor
    reach: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class PersonAccess:
    """All that one person has."""

    id: str
    name: str
    roles: tuple[RoleReach, ...]
    by_word: tuple[Row, ...]
    held: tuple[Row, ...]


def table_of(profession: str, role: str = "") -> Table:
    """What the rules say of a profession in a role, by relation and kind of entry."""
    actor = Actor("practitioner", "Practitioner/any", "", profession, role)
    rows = []
    for relation, emergency in [*((each, False) for each in RELATIONS), ("none", True)]:
        facts = facts_of(relation, emergency=emergency)
        name = "emergency" if emergency else relation
        asked = ("read", "write", "read-address", "break-glass", "state-relation")
        rows.append({"relation": name} | {
            action: _answer(actor, action, facts) for action in asked
        })  # fmt: skip
    labels = [each.key for each in categories().category]
    labels += [each.key for each in categories().mark if each.on == "entry"]
    withheld = [
        {"label": label} | {
            "emergency" if emergency else relation: _entry(actor, relation, emergency, label)
            for relation, emergency in [*((r, False) for r in RELATIONS[1:]), ("none", True)]
        }
        for label in labels
    ]  # fmt: skip
    writes = sorted(
        kind for kind in RESOURCE_TYPES if is_clinical(kind) and may_write(profession, kind)
    )
    return Table(profession, tuple(rows), tuple(withheld), tuple(writes))


def labels_named() -> dict[str, str]:
    """What categories and marks are called, by their key."""
    known = categories()
    return {c.key: c.label for c in known.category} | {m.key: m.label for m in known.mark}


def professions_known() -> list[str]:
    """Everything that somebody can work as, for which the rules can be asked."""
    known = professions()
    return sorted({*known.approval.values(), *known.role.values(), *known.position.values()})


class EffectiveAccess:
    """Answers those who look after access. Every method decides and traces; raises `Refused`."""

    def __init__(self, keeper: StaffKeeper) -> None:
        self._keeper = keeper
        self._database = keeper.database

    async def may_look(self, actor: Actor) -> None:
        """That the actor may look at what staff can do."""
        await self._keeper.decide(actor, oversee=True)

    async def may_follow(self, actor: Actor) -> None:
        """That the actor may look at who can open an inhabitant's record, asked before whose."""
        decision = decide(actor, "oversee", Facts("inhabitant"))
        if not decision.allowed or (actor.scopes is not None and actor.kind != "system"):
            await self._keeper.gate.refuse(actor, keys.REFERENCE, decision, "effective-access")

    async def of_person(self, actor: Actor, person_id: str) -> PersonAccess:
        """What one member of staff can do now. Raises `NotFound`."""
        await self.may_look(actor)
        stored = await self._keeper.read("Practitioner", person_id)
        if stored is None:
            raise NotFound(f"Practitioner/{person_id[:64]}")
        person = stored.reference
        await self._keeper.trace(actor, "effective-access", person)
        now = clock.now()
        at = dates.microseconds(now)
        held = await self._database.fetch(SQL["roles_by_person"], [person], at)
        roles = []
        for row in held:
            found = await actor_of_role(self._keeper.gate.store.beyond, row["id"])
            if found is not None:
                roles.append(RoleReach(found, await self._reach(found, at)))
        words = await self._database.fetch(SQL["self_made"], person, now)
        by_word: dict[str, int] = {}
        for row in words:
            by_word[row["way"]] = by_word.get(row["way"], 0) + 1
        return PersonAccess(
            person_id, name_of(stored.resource), tuple(roles),
            tuple({"way": way, "people": str(count)} for way, count in sorted(by_word.items())),
            await self._held(person),
        )  # fmt: skip

    async def of_inhabitant(self, actor: Actor, patient_id: str) -> list[Row]:
        """Who can open a record now and why, those who are kept out by a rule too.

        For who controls access alone: it tells which units treat somebody. In the inhabitant's own
        log it stands as a reading of who has access.
        """
        patient = keys.patient_key(patient_id)
        decision = decide(actor, "oversee", Facts("inhabitant"))
        if not decision.allowed or (actor.scopes is not None and actor.kind != "system"):
            await self._keeper.gate.refuse(actor, patient, decision, "effective-access", patient_id)
        if await self._keeper.read("Patient", patient_id) is None:
            raise NotFound(f"Patient/{patient_id[:64]}")
        now = clock.now()
        at = dates.microseconds(now)
        author = author_of(actor, "effective-access", "SYSADMIN", basis="control")
        await self._keeper.gate.trail.keep(
            audit_row(patient, 0, now, author, f"Patient/{patient_id}", action="read")
        )
        ties = await self._database.fetch(SQL["tied_to"], patient, at)
        opened = await self._database.fetch(SQL["opened_by_word"], patient, now)
        # What is asked here about others must not open anything to the one who asks.
        with beyond():
            concerned = await self._concerned(ties, opened, at)
            found = [await self._verdict(each, patient) for each in concerned]
        acting = await self._database.fetch(SQL["represented"], patient, at)
        found += [{
            "person": f"RelatedPerson/{row['source_id']}", "name": "", "profession": "inhabitant",
            "role": row["kind"], "unit": "", "read": "yes", "write": "no",
            "why": f"{row['kind']} ({row['scope']})", "rule": "", "law": "", "withheld": "",
        } for row in acting]  # fmt: skip
        return sorted(found, key=lambda row: (row["read"] != "yes", row["unit"], row["name"]))

    async def _concerned(self, ties: Iterable[Any], opened: Iterable[Any], at: int) -> list[Actor]:
        """Everyone whom a tie may reach: named themselves, or with a role at a named unit."""
        grantees = {row["grantee"] for row in ties}
        people = {g for g in grantees if g.startswith("Practitioner/")}
        people |= {row["actor"] for row in opened}
        units = await self._below({g for g in grantees if g.startswith("Organization/")})
        at_units = await self._database.fetch(SQL["people_at"], sorted(units), at, MOST_ROLES)
        named = await self._database.fetch(SQL["roles_by_person"], sorted(people), at)
        roles = {row["id"] for row in [*at_units, *named]}
        roles |= {g.partition("/")[2] for g in grantees if g.startswith("PractitionerRole/")}
        found = [
            await actor_of_role(self._keeper.gate.store.beyond, role) for role in sorted(roles)
        ]
        return [each for each in found if each is not None]

    async def _below(self, units: set[str]) -> set[str]:
        """The units, and all that are part of them."""
        found, new = set(units), set(units)
        while new:
            parts = await self._keeper.by_reference("Organization", "partof", sorted(new))
            new = {part.reference for part in parts} - found
            found |= new
        return found

    async def _verdict(self, who: Actor, patient: int) -> Row:
        known = (await self._keeper.gate.permits.known(who, [patient], clock.now()))[patient]
        decision = decide(who, "read", known.facts)
        writes = decide(who, "write", known.facts, "Observation").allowed
        why = f" ({known.facts.relation})" if known.facts.relation else ""
        return {
            "person": who.id, "name": who.name, "profession": who.profession, "role": who.role,
            "unit": who.unit_name, "read": "yes" if decision.allowed else "no",
            "write": "yes" if writes else "no", "why": f"{decision.reason}{why}",
            "rule": decision.rule, "law": decision.law,
            "withheld": " ".join(sorted(known.sight.labels)) if decision.allowed else "",
        }  # fmt: skip

    async def _reach(self, who: Actor, at: int) -> tuple[Row, ...]:
        rows = await self._database.fetch(
            SQL["reach_of"], list(who.grantees), at, list(who.person), list(who.unit)
        )
        found = []
        for row in rows:
            facts = facts_of(row["nearness"])
            found.append({
                "relation": row["nearness"], "source": row["source_type"],
                "people": str(row["people"]), "read": _answer(who, "read", facts),
                "write": _answer(who, "write", facts),
            })  # fmt: skip
        return tuple(found)

    async def _held(self, person: str) -> tuple[Row, ...]:
        """Tokens for the API and apps that were let in."""
        now = clock.now()
        tokens = await self._keeper.given_out.fetch(SQL["tokens_of"], person, now)
        grants = await self._keeper.given_out.fetch(SQL["grants_of"], person, now)
        return tuple(
            {"kind": kind, "app": row["app"] or "", "role": row["role"] or "",
             "until": row["expires_at"].isoformat(timespec="minutes"),
             "scopes": str(row["scopes"] or "")}
            for kind, rows in (("token", tokens), ("app", grants)) for row in rows
        )  # fmt: skip


def lines_of(access: PersonAccess) -> list[Row]:
    """A person's access as rows of one table, for an export."""
    rows = []
    for role in access.roles:
        who = {"person": f"Practitioner/{access.id}", "name": access.name,
               "profession": role.actor.profession, "role": role.actor.role,
               "unit": role.actor.unit_name}  # fmt: skip
        rows += [who | {"through": each["relation"], **each} for each in role.reach] or [who]
    about = {"person": f"Practitioner/{access.id}", "name": access.name}
    rows += [about | {"through": each["way"], "people": each["people"]} for each in access.by_word]
    rows += [about | {"through": each["kind"], "source": each["app"], "until": each["until"],
                      "scopes": each["scopes"]} for each in access.held]  # fmt: skip
    return rows


def facts_of(relation: Closeness, *, emergency: bool = False) -> Facts:
    """What a rule is asked about, of an inhabitant with whom there is such a relation."""
    now = clock.now()
    return Facts(
        "inhabitant", related=relation not in ("none", "stated"), closeness=relation,
        stated_until=now if relation == "stated" else None,
        emergency_until=now if emergency else None,
    )  # fmt: skip


def _answer(actor: Actor, action: Any, facts: Facts) -> str:
    return "yes" if decide(actor, action, facts).allowed else "no"


def _entry(actor: Actor, relation: Closeness, emergency: bool, label: str) -> str:
    facts = facts_of(relation, emergency=emergency)
    if not decide(actor, "read", facts).allowed:
        return "no"
    ruling = rules_on_entry(actor, facts, "Condition", frozenset({label}))
    return "yes" if ruling.shown else "withheld"
