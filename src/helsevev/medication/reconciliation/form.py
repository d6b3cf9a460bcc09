"""The form of a reconciliation: what was chosen of each row, and what is still to be chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import uuid4

from msgspec import Struct

from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import objects
from helsevev.locale import gettext as _
from helsevev.medication.order_form import dosages_of, of_dosages
from helsevev.medication.prescription import NotPrescribable, dose_element
from helsevev.medication.reconciliation.choices import Option, default_reason, goes_on, options
from helsevev.medication.reconciliation.comparing import Line, Row
from helsevev.medication.reconciliation.deciding import LEAVE, RESUME, Decision
from helsevev.medication.reconciliation.table import Table

DOSE_FIELDS: Final = (
    "how", "amount", "unit", "often", "at", "hours", "days", "most", "needed_for", "rate",
    "rate_unit", "start", "end", "down", "step_days", "last", "free_text",
)  # fmt: skip
_MOST_LETTERS: Final = 500
_MOST_FIELDS: Final = 4000


class Shown(Struct, frozen=True):
    """A row as the page shows it: its number, choices, what is chosen, and what is wrong with it.

    `dose` is what the fields of another dose hold.
    """

    number: int
    row: Row
    cells: tuple[Line | None, ...]
    options: tuple[Option, ...]
    chosen: str
    reason: str
    words: str
    dose: Mapping[str, str]
    problem: str
    unchanged: bool


def fields_of(form: Any) -> dict[str, str]:
    """All that was sent, each value cut to a length that is read."""
    found = {
        str(k)[:400]: str(v)[:_MOST_LETTERS] for k, v in list(form.multi_items())[:_MOST_FIELDS]
    }
    found.pop("_csrf_token", None)
    return found


def shown(table: Table, form: Mapping[str, str], problems: Mapping[str, str]) -> list[Shown]:
    """The rows with what the form holds of each; `problems` by the key of a row."""
    found = []
    for number, row in enumerate(table.rows):
        line = _dosed(row)
        resource = table.resources[line.key]
        held = of_dosages(objects(resource.get(dose_element(resource))), line.words)
        sent = {f: form.get(f"dose.{f}:{row.key}", "") for f in DOSE_FIELDS}
        dose = sent if any(sent.values()) else {**sent, **held}
        found.append(
            Shown(
                number=number, row=row, cells=tuple(row.of(name) for name in table.lists),
                options=tuple(options(row, table.at, table.resources,
                                      may_prescribe=table.may_prescribe)),
                chosen=form.get(f"verb:{row.key}", ""), reason=form.get(f"reason:{row.key}", ""),
                words=form.get(f"words:{row.key}", ""), dose=dose,
                problem=problems.get(row.key, ""),
                unchanged=goes_on(row, table.at, table.lists),
            )
        )  # fmt: skip
    return found


def decisions(
    table: Table, form: Mapping[str, str], today: date
) -> tuple[list[tuple[Row, Decision]], dict[str, str]]:
    """(each row with what was decided of it, row key -> what is missing).

    Rows that are unchanged go on where the form says so for all of them.
    """
    made: list[tuple[Row, Decision]] = []
    problems: dict[str, str] = {}
    for row in table.rows:
        chosen = form.get(f"verb:{row.key}", "")
        if not chosen and form.get("bulk") and goes_on(row, table.at, table.lists):
            chosen = "continue"
        offered = options(row, table.at, table.resources, may_prescribe=table.may_prescribe)
        if chosen not in {each.value for each in offered} and not _is_bulk(chosen, row, table):
            problems[row.key] = _("Decide what becomes of it.")
            continue
        try:
            made.append((row, _decision(table, row, chosen, form, today)))
        except NotPrescribable as problem:
            problems[row.key] = problem.issues[0].diagnostics
    return made, problems


def _is_bulk(chosen: str, row: Row, table: Table) -> bool:
    """Going on as it is, for those whose signature may order it."""
    return chosen == "continue" and table.may_prescribe and goes_on(row, table.at, table.lists)


def _decision(
    table: Table, row: Row, chosen: str, form: Mapping[str, str], today: date
) -> Decision:  # fmt: skip
    verb, _sep, dose_of = chosen.partition(":")
    if verb in ("continue", RESUME, LEAVE):
        return Decision(verb, words=form.get(f"words:{row.key}", ""))
    reason, words = form.get(f"reason:{row.key}", ""), form.get(f"words:{row.key}", "")
    if not reason and not words.strip():
        reason, words = default_reason(row, chosen, table.at, table.resources)
    if not reason and not words.strip():
        raise NotPrescribable([error("required", _("Say why."), "reason")])
    dosages: Sequence[Mapping[str, Any]] = ()
    if dose_of == "own":
        sent = {f: form.get(f"dose.{f}:{row.key}", "") for f in DOSE_FIELDS}
        dosages = dosages_of(sent, today)
    return Decision(verb, reason, words, "" if dose_of == "own" else dose_of, dosages)


def _dosed(row: Row) -> Line:
    """The line whose dose the fields of another dose begin with."""
    standing = [line for line in row.lines if line.status != "stopped"]
    return (standing or list(row.lines))[0]


def patients_word(
    medicine: Mapping[str, Any], form: Mapping[str, str], patient_id: str, today: date
) -> dict[str, Any]:
    """What the patient says they take, as a statement of theirs. Raises NotPrescribable.

    In words, or as so much so many times a day, which can be compared.
    """
    sent = {name: form.get(f"said.{name}", "") for name in DOSE_FIELDS}
    in_words = sent["free_text"].strip() and not sent["amount"].strip()
    dosages = dosages_of({**sent, "how": "text" if in_words else "daily"}, today)
    for dosage in dosages:
        dosage.pop("extension", None)
    return {
        "resourceType": "MedicationStatement",
        "id": f"said-{uuid4().hex[:12]}",
        "status": "active",
        "medicationCodeableConcept": dict(medicine),
        "subject": {"reference": f"Patient/{patient_id}"},
        "informationSource": {"reference": f"Patient/{patient_id}"},
        "dosage": dosages,
    }


def issue(text: str, place: str = "") -> Issue:
    """One problem with the form as a whole."""
    return error("business-rule", text, place)
