"""Conditions on texts: ranges of the index wherever the beginning of a text is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from helsevev.fhir.search_filters import Condition
from helsevev.fhir.search_terms import StringTerm
from helsevev.record.rows import comparable, prefix_end, string_value
from helsevev.record.search_values import Arguments, any_of

_COMPARED: Final = "split_part(s.value, chr(1), 1)"
"""What is compared; the text as written stands behind it."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A condition on texts. `rows` are those of table `search_string` (named `s`) that fulfil it;
    `in_order` says that they are a range of the index, whose order a page may have."""

    of_patients: bool
    rows: str
    in_order: bool

    @property
    def found(self) -> str:
        """Where the rows of resources that fulfil it are kept."""
        return f"SELECT s.patient{'' if self.of_patients else ', s.id'} FROM {self.rows}"

    @property
    def sql(self) -> str:
        """The condition on rows named `r`."""
        return f"{'r.patient' if self.of_patients else '(r.patient, r.id)'} IN ({self.found})"


def texts(resource_type: str, name: str, condition: Condition, arguments: Arguments) -> Texts:
    """A condition on texts of one parameter. A Patient is told by the inhabitant's key alone."""
    terms = [term for term in condition.terms if isinstance(term, StringTerm)]
    found = any_of([_compared(condition.modifier, term, arguments) for term in terms])
    rows = (
        f"search_string s WHERE s.type = {arguments.add(resource_type, 'resource_type')}"
        f" AND s.name = {arguments.add(name, 'text')} AND {found}"
    )
    in_order = len(terms) == 1 and condition.modifier in (None, "exact", "equal")
    return Texts(resource_type == "Patient", rows, in_order)


def _compared(modifier: str | None, term: StringTerm, arguments: Arguments) -> str:
    add = arguments.add
    match modifier:
        case "exact":
            return f"s.value = {add(string_value(term.normalized, term.text), 'text')}"
        case "contains":
            return f"strpos({_COMPARED}, {add(term.normalized, 'text')}) > 0"
        case "ends":
            text = add(term.normalized, "text")
            return f"right({_COMPARED}, length({text})) = {text}"
    begins = comparable(term.normalized) + ("\x01" if modifier in ("equal", "unequal") else "")
    low, end = add(begins, "text"), add(prefix_end(begins), "text")
    inside = f"(s.value >= {low} AND s.value < {end})"
    return f"NOT {inside}" if modifier == "unequal" else inside
