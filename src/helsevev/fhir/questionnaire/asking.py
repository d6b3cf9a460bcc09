"""What must be looked up in the record before a form can be filled in from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from helsevev.fhir.path import PathError
from helsevev.fhir.questionnaire.expressions import Expression, Scope
from helsevev.fhir.questionnaire.extensions import every, first, value_of
from helsevev.fhir.questionnaire.filling import launched
from helsevev.fhir.questionnaire.structure import Item, Prepared

OBSERVATIONS: Final = "observations"
"""The name of the search for what items ask of Observations by their codes."""

_SECONDS: Final = {
    "min": 60, "h": 3600, "d": 86_400, "wk": 604_800, "mo": 2_629_800, "a": 31_557_600,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """One search: `name` is what its results are handed in as, `search` is "Type?parameters".

    `codes` are the (system, code) pairs that it is for, when it is for Observations by code.
    """

    name: str
    search: str
    codes: tuple[tuple[str, str], ...] = ()

    @property
    def type(self) -> str:
        """The type of resource that is searched for, "" when it is read by its address."""
        return self.search.partition("?")[0] if "?" in self.search else ""


def queries(prepared: Prepared, context: Mapping[str, Any], now: datetime) -> list[Query]:
    """The searches that `populate` and `fill` want the results of, by name.

    `context` has at least `patient`. A search that names something which is not there is left out.
    """
    scope = Scope(launched(prepared, context, now), {}, lambda _expression, _scope: [])
    found: dict[str, Query] = {}
    for expression in _expressions(prepared):
        if not expression.is_query or not expression.name:
            continue
        search = _filled(expression, scope, now)
        if search:
            found.setdefault(expression.name, Query(expression.name, search))
    for name, search in _bundled(prepared):
        filled = _filled(_query(search), scope, now)
        if filled:
            found.setdefault(name, Query(name, filled))
    linked = [item for item in prepared.by_link.values() if link_period(item) is not None]
    if linked:
        found[OBSERVATIONS] = _linked(linked, context, now)
    return list(found.values())


def _expressions(prepared: Prepared) -> Iterator[Expression]:
    yield from prepared.variables
    for item in prepared.by_link.values():
        rules = item.rules
        yield from rules.variables
        for each in (rules.context, rules.initial, rules.answers):
            if each is not None:
                yield each


def _query(search: str) -> Expression:
    return Expression(search, "application/x-fhir-query", whole=True)


def _bundled(prepared: Prepared) -> Iterator[tuple[str, str]]:
    """Searches of a contained batch (sourceQueries); `%<name>` is the Bundle of their answers."""
    contained = {
        each.get("id"): each for each in prepared.questionnaire.get("contained", ())
        if type(each) is dict
    }  # fmt: skip
    for each in every(prepared.questionnaire, "sourceQueries"):
        said = value_of(each)
        name = str(said.get("reference", "")).lstrip("#") if type(said) is dict else ""
        for index, entry in enumerate(contained.get(name, {}).get("entry", ())):
            url = entry.get("request", {}).get("url")
            if type(url) is str:
                yield f"{name}[{index}]", url


def _filled(expression: Expression, scope: Scope, now: datetime) -> str | None:
    def evaluate(each: Expression) -> list[Any]:
        return each({"resourceType": "QuestionnaireResponse"}, None, scope, None, now)

    try:
        return expression.filled(evaluate)
    except PathError:
        return None


def link_period(item: Item) -> timedelta | None:
    """How old an Observation with the item's code may be that answers it; None: it asks for none.

    Without a length it may be of any age.
    """
    said = first(item.raw, "observationLinkPeriod")
    if type(said) is not dict or not item.codes:
        return None
    seconds = _SECONDS.get(str(said.get("code") or said.get("unit")), 86_400)
    value = said.get("value")
    return (
        timedelta(seconds=float(value) * seconds) if value is not None else timedelta(days=36_500)
    )


def _linked(items: list[Item], context: Mapping[str, Any], now: datetime) -> Query:
    codes = list(dict.fromkeys(
        (str(code.get("system", "")), str(code.get("code", "")))
        for item in items for code in item.codes
    ))  # fmt: skip
    period = max(each for item in items if (each := link_period(item)) is not None)
    since = max(now - period, datetime(1900, 1, 1, tzinfo=now.tzinfo))
    patient = context.get("patient")
    number = patient.get("id", "") if isinstance(patient, Mapping) else ""
    listed = ",".join(f"{system}|{code}" for system, code in codes)
    return Query(
        OBSERVATIONS,
        f"Observation?patient=Patient/{number}&combo-code={listed}"
        f"&date=ge{since.date().isoformat()}&_sort=-date&_count=200",
        tuple(codes),
    )
