"""What a discharge letter is written from: the list, the stay, diagnoses, allergies and plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from helsevev.access.slices import Slice
from helsevev.fhir.reading import (
    codes,
    concept_text,
    concept_texts,
    mapping,
    moment,
    objects,
    of_patient,
    reference_key,
    reference_text,
    text,
)
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.panel import medicines
from helsevev.medication.reconciliation.letter import (
    Letter,
    Section,
    letters,
    medicines_section,
    words_section,
)
from helsevev.medication.reconciliation.lists import HOME, begun
from helsevev.medication.reconciliation.record import last_of_stay
from helsevev.medication.reconciliation.table import Table

Resource = Mapping[str, Any]
_WRITTEN: Final = (Slice("Composition", 100),)
_FROM: Final = (
    Slice("Encounter", 50), Slice("Condition", 200), Slice("AllergyIntolerance", 100),
    Slice("Flag", 50), Slice("Appointment", 50),
)  # fmt: skip
_GROUPS: Final = ("regular", "as_needed", "course", "paused", "uncertain")


@dataclass(frozen=True, slots=True)
class Grounds:
    """All but what is typed: sections before the course, and between course and plan."""

    encounter: str | None
    before: tuple[Section, ...]
    medicines: tuple[Section, ...]
    coming: tuple[str, ...]
    told: Section


def home_lines(table: Table) -> list[Resource]:
    """The list at home as resources: what is in use or on hold."""
    keys = sorted(line.key for row in table.rows for line in row.lines if line.list == HOME)
    return [table.resources[key] for key in keys]


async def letters_of(table: Table) -> tuple[Letter, ...]:
    """The letters written from this list, the newest first."""
    found = await table.services.gate.open_slices(
        table.permit, _WRITTEN, interaction="letters"
    )  # fmt: skip
    return letters(found["Composition"], home_lines(table), table.names)


async def is_signed(table: Table, key: str) -> bool:
    """Whether a letter that was opened under this key is signed."""
    found = await table.services.gate.open_slices(table.permit, _WRITTEN, interaction="letters")
    return any(
        mapping(each.get("identifier")).get("value") == f"urn:uuid:{key}"
        for each in found["Composition"]
    )


async def grounds_of(table: Table) -> Grounds:
    """What the record says for a letter about the stay that goes on, or the last one."""
    found = await table.services.gate.open_slices(table.permit, _FROM, interaction="letter")
    stay = table.stay or _last_stay(found["Encounter"])
    lines = home_lines(table)
    listed = medicines(
        [each for each in lines if each["resourceType"] == "MedicationRequest"],
        [each for each in lines if each["resourceType"] == "MedicationStatement"],
        list(table.products.values()), now=clock.now(), names=table.names,
    )  # fmt: skip
    groups = [(g.replace("_", "-"), getattr(listed, g)) for g in _GROUPS]
    done = last_of_stay(table.done, stay, ("discharge",))
    readable = not await table.services.gate.withholds(table.permit)
    changed = [each.words for each in done.changes] if done else []
    none = _("Nothing was changed.") if done else _(
        "The medicines were not reconciled at discharge: what changed is not known."
    )  # fmt: skip
    unknown = _("None recorded.")
    return Grounds(
        encounter=f"Encounter/{stay['id']}" if stay else None,
        before=(
            words_section(_("Reason for the contact"), _reasons(stay), _("Not recorded.")),
            words_section(_("Diagnoses"), _diagnoses(stay, found["Condition"]), unknown),
            words_section(_("Allergies and critical information"), _critical(found), unknown),
        ),
        medicines=(
            medicines_section(groups, lines, readable=readable, reconciled=done is not None),
            words_section(_("Changes of medicines"), changed, none),
        ),
        coming=_coming(found["Appointment"]),
        told=words_section(_("Who is told of the medicines"), [
            f"{each.owner_name}: {each.title}" for each in table.handovers
            if stay is None or each.sent is None or (begun(stay) or each.sent.at) <= each.sent.at
        ], _("No unit has been told.")),
    )  # fmt: skip


def _last_stay(encounters: Sequence[Resource]) -> Resource | None:
    stays = [each for each in encounters if "IMP" in codes(each.get("class"))]
    return max(stays, key=lambda each: text(mapping(each.get("period")).get("start")), default=None)


def _reasons(stay: Resource | None) -> list[str]:
    if stay is None:
        return []
    return concept_texts(stay.get("reasonCode")) or concept_texts(stay.get("type"))


def _diagnoses(stay: Resource | None, conditions: Sequence[Resource]) -> list[str]:
    """Those of the stay, and what else is active."""
    of_stay = {
        reference_key(each.get("condition"))
        for each in objects(mapping(stay).get("diagnosis"))
    }  # fmt: skip
    known = [each for each in of_patient(conditions)
             if not codes(each.get("clinicalStatus")) & {"resolved", "inactive", "remission"}
             and "refuted" not in codes(each.get("verificationStatus"))]  # fmt: skip
    own = [each for each in known if f"Condition/{each.get('id')}" in of_stay]
    others = [each for each in known if f"Condition/{each.get('id')}" not in of_stay]
    told = [_coded(each) for each in own]
    if others:
        told.append(_("Known from before: %s") % ", ".join(_coded(each) for each in others))
    return told


def _coded(condition: Resource) -> str:
    concept = condition.get("code")
    code = next((text(c.get("code")) for c in objects(mapping(concept).get("coding"))
                 if "icd-10" in text(c.get("system"))), "")  # fmt: skip
    return " ".join(part for part in (concept_text(concept), code) if part)


def _critical(found: Mapping[str, Sequence[Resource]]) -> list[str]:
    told = [
        concept_text(each.get("code")) for each in of_patient(found["AllergyIntolerance"])
        if not codes(each.get("clinicalStatus")) & {"resolved", "inactive"}
        and "refuted" not in codes(each.get("verificationStatus"))
    ]  # fmt: skip
    told += [concept_text(each.get("code")) for each in of_patient(found["Flag"])
             if each.get("status") == "active"]  # fmt: skip
    return told


def _coming(appointments: Sequence[Resource]) -> tuple[str, ...]:
    now = clock.now()
    told = []
    for each in of_patient(appointments):
        at = moment(each.get("start"))
        if at is None or at.at < now or text(each.get("status")) not in ("booked", "pending"):
            continue
        where = ", ".join(
            name for p in objects(each.get("participant"))
            if not reference_key(p.get("actor")).startswith("Patient/")
            and (name := reference_text(p.get("actor")))
        )  # fmt: skip
        told.append(f"{at.day:%d.%m.%Y}: {text(each.get('description'))} {where}".strip())
    return tuple(sorted(told))
