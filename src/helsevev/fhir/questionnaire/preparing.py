"""From a FHIR Questionnaire to a form that can be filled in: read once, compiled once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from helsevev.fhir.path import PathError
from helsevev.fhir.path.totals import said_weight
from helsevev.fhir.questionnaire import dependence, extensions, helsenorge
from helsevev.fhir.questionnaire.expressions import FHIRPATH, Expression
from helsevev.fhir.questionnaire.extensions import every, first, value_of
from helsevev.fhir.questionnaire.structure import (
    Band,
    Condition,
    Constraint,
    Item,
    Limits,
    Look,
    Lost,
    Option,
    Prepared,
    Rules,
)

_TYPES: Final = frozenset({
    "group", "display", "boolean", "decimal", "integer", "date", "dateTime", "time", "string",
    "text", "url", "choice", "open-choice", "attachment", "reference", "quantity",
})  # fmt: skip
# What R5 calls them, met in forms that say they are R4.
_RENAMED: Final = {"coding": "choice", "question": "string"}
_MOST_ITEMS: Final = 5_000


class NotAForm(ValueError):
    """The resource cannot be used as a form; the message says why."""


def prepare(questionnaire: Mapping[str, Any]) -> Prepared:
    """The form, compiled. Raises `NotAForm` when items lack a linkId or have one twice."""
    if questionnaire.get("resourceType") != "Questionnaire":
        raise NotAForm("It is no Questionnaire.")
    reading = _Reading(questionnaire)
    items = tuple(reading.items(questionnaire.get("item", ())))
    reading.check_conditions()
    reading.lose("", questionnaire)
    variables = reading.variables("", questionnaire, whole=True)
    return Prepared(
        url=str(questionnaire.get("url", "")),
        version=str(questionnaire.get("version", "")),
        title=str(questionnaire.get("title") or questionnaire.get("name") or ""),
        questionnaire=questionnaire,
        items=items,
        by_link=reading.by_link,
        variables=variables,
        constraints=reading.constraints("", questionnaire, whole=True),
        launch=tuple(_launched(questionnaire)),
        weights=reading.weights,
        unsupported=tuple(dict.fromkeys(reading.lost)),
        reads=dependence.reads(reading.by_link, variables),
    )


def _launched(questionnaire: Mapping[str, Any]) -> Iterator[str]:
    for each in every(questionnaire, "launchContext"):
        for part in each.get("extension", ()):
            if part.get("url") == "name":
                value = value_of(part)
                yield str(value.get("code", "") if type(value) is dict else value)


class _Reading:
    """The form while it is read: its items so far, and what of it is not understood."""

    def __init__(self, questionnaire: Mapping[str, Any]) -> None:
        self.questionnaire = questionnaire
        self.by_link: dict[str, Item] = {}
        self.lost: list[Lost] = []
        self.weights: dict[str, dict[tuple[str, str], Decimal | int]] = {}
        self._contained = {
            each.get("id"): each for each in questionnaire.get("contained", ())
            if type(each) is dict
        }  # fmt: skip

    def items(self, raw: Any) -> Iterator[Item]:
        """The items of a form or an item, in order."""
        for each in raw if type(raw) is list else ():
            if type(each) is not dict or not each.get("linkId"):
                raise NotAForm("An item has no linkId.")
            yield self._item(each)

    def _item(self, raw: dict[str, Any]) -> Item:
        link = str(raw["linkId"])
        if link in self.by_link:
            raise NotAForm(f"The linkId {link!r} stands twice.")
        if len(self.by_link) >= _MOST_ITEMS:
            raise NotAForm(f"It has more than {_MOST_ITEMS} items.")
        self.by_link[link] = _PLACEHOLDER
        kind = _RENAMED.get(raw.get("type", ""), raw.get("type", ""))
        if kind not in _TYPES:
            self.lost.append(Lost(link, str(kind), "questions of this type cannot be answered"))
            kind = "display"
        self.lose(link, raw)
        helps, shown = _split_helps(raw.get("item", ()))
        children = tuple(self.items(shown))
        if kind == "display" and children:
            # R4 forbids it; what is asked beneath a text is asked all the same.
            kind = "group"
        options = tuple(self._options(link, raw))
        item = Item(
            link_id=link,
            text=str(raw.get("text", "")),
            type=kind,
            raw=raw,
            prefix=str(raw.get("prefix", "")),
            definition=str(raw.get("definition", "")),
            codes=tuple(raw.get("code", ())),
            required=raw.get("required") is True,
            repeats=raw.get("repeats") is True,
            read_only=raw.get("readOnly") is True,
            options=options,
            value_set="" if options else str(raw.get("answerValueSet", "")),
            initial=tuple(raw.get("initial", ())),
            units=tuple(_units(raw)),
            targets=tuple(str(value_of(each)) for each in every(raw, "referenceResource")),
            limits=_limits(raw),
            look=_look(raw, helps),
            rules=self._rules(link, raw),
            bands=tuple(_band(each) for each in every(raw, "band")),
            items=children,
        )
        self.by_link[link] = item
        return item

    def _rules(self, link: str, raw: Mapping[str, Any]) -> Rules:
        return Rules(
            conditions=tuple(_conditions(raw)),
            any_condition=raw.get("enableBehavior") == "any",
            enable=self._expression(link, raw, "enableWhenExpression"),
            calculated=self._expression(link, raw, "calculatedExpression")
            or self._old_calculation(link, raw),
            initial=self._expression(link, raw, "initialExpression"),
            context=self._expression(link, raw, "itemPopulationContext"),
            answers=self._expression(link, raw, "answerExpression")
            or self._expression(link, raw, "candidateExpression"),
            constraints=self.constraints(link, raw),
            variables=self.variables(link, raw),
        )

    def _expression(self, link: str, raw: Mapping[str, Any], name: str) -> Expression | None:
        for each in every(raw, name):
            return self._compiled(link, each["url"], value_of(each))
        return None

    def _compiled(
        self, link: str, url: str, said: Any, *, whole: bool = False
    ) -> Expression | None:
        text = said.get("expression") if type(said) is dict else None
        if type(text) is not str:
            where = "a reference to it" if type(said) is dict and "reference" in said else "nothing"
            self.lost.append(Lost(link, url, f"the expression is not here, only {where}"))
            return None
        language, name = str(said.get("language", FHIRPATH)), str(said.get("name", ""))
        try:
            return Expression(text, language, name, whole=whole)
        except PathError as problem:
            self.lost.append(Lost(link, url, f"the expression cannot be read: {problem}"))
            return None

    def _old_calculation(self, link: str, raw: Mapping[str, Any]) -> Expression | None:
        """Sums as the Norwegian platform's forms ask for them."""
        said = first(raw, "sdf-calculatedExpression") or helsenorge.sum_of(raw, self.questionnaire)
        if not said:
            return None
        url = f"{extensions.SDF}sdf-calculatedExpression"
        return self._compiled(link, url, {"expression": said})

    def variables(
        self, link: str, raw: Mapping[str, Any], *, whole: bool = False
    ) -> tuple[Expression, ...]:
        """The variables that a form or an item names."""
        found = [
            self._compiled(link, each["url"], value_of(each), whole=whole)
            for each in every(raw, "variable")
        ]
        return tuple(each for each in found if each is not None and each.name)

    def constraints(
        self, link: str, raw: Mapping[str, Any], *, whole: bool = False
    ) -> tuple[Constraint, ...]:
        """The rules that a form or an item says its answers hold to."""
        found = []
        for each in every(raw, "constraint"):
            parts = {part.get("url"): value_of(part) for part in each.get("extension", ())}
            said = parts.get("expression")
            as_said = said if type(said) is dict else {"expression": said}
            expression = self._compiled(link, each["url"], as_said, whole=whole)
            if expression is not None:
                severity = str(parts.get("severity", "error"))
                human = str(parts.get("human", ""))
                found.append(Constraint(str(parts.get("key", "")), severity, human, expression))
        return tuple(found)

    def _options(self, link: str, raw: Mapping[str, Any]) -> Iterator[Option]:
        if raw.get("type") == "boolean":
            return
        said = raw.get("answerOption")
        options = said if said else self._listed(link, raw)
        for each in options:
            option = _option(each)
            if option is None:
                continue
            if option.weight is not None:
                self.weights.setdefault(link, {})[weight_key(option.value)] = option.weight
            yield option

    def _listed(self, link: str, raw: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The codes of a value set that the form brings with it."""
        url = str(raw.get("answerValueSet", ""))
        if not url.startswith("#"):
            return
        held = self._contained.get(url[1:])
        if held is None:
            self.lost.append(Lost(link, "answerValueSet", f"the list {url} is not in the form"))
            return
        expanded = held.get("expansion", {}).get("contains")
        if expanded:
            yield from ({"valueCoding": _coding(each)} for each in expanded)
            return
        for include in held.get("compose", {}).get("include", ()):
            system = include.get("system", "")
            concepts = include.get("concept") or self._code_system(system)
            if not concepts:
                self.lost.append(Lost(link, "answerValueSet", f"the codes of {system} are unknown"))
            for concept in concepts or ():
                yield {"valueCoding": _coding({"system": system, **concept})}

    def _code_system(self, url: str) -> list[dict[str, Any]]:
        for each in self._contained.values():
            if each.get("resourceType") == "CodeSystem" and each.get("url") == url:
                found: list[dict[str, Any]] = each.get("concept", [])
                return found
        return []

    def lose(self, link: str, raw: Mapping[str, Any]) -> None:
        """Name the extensions of a form or an item that are not understood."""
        for url, what in extensions.not_understood(raw):
            self.lost.append(Lost(link, url, what))

    def check_conditions(self) -> None:
        """Raises `NotAForm` when a condition asks for a question that is not there."""
        for item in self.by_link.values():
            for each in item.rules.conditions:
                if each.question not in self.by_link:
                    raise NotAForm(
                        f"{item.link_id} depends on {each.question!r}, which is not there."
                    )


_PLACEHOLDER: Final = Item(link_id="", text="", type="display", raw={})


def _coding(said: Mapping[str, Any]) -> dict[str, Any]:
    return {key: said[key] for key in ("system", "code", "display", "extension") if key in said}


def _option(said: Mapping[str, Any]) -> Option | None:
    value = {key: each for key, each in said.items() if key.startswith("value")}
    if not value:
        return None
    ((_, inner),) = list(value.items())[:1]
    weight = said_weight(said)
    if weight is None:
        weight = said_weight(inner)
    return Option(
        value=value,
        label=label_of(inner),
        weight=weight,
        exclusive=first(said, "optionExclusive") is True,
        initial=said.get("initialSelected") is True,
        prefix=str(
            first(said, "optionPrefix")
            or (first(inner, "optionPrefix") if type(inner) is dict else "")
            or ""
        ),
    )


def weight_key(value: Mapping[str, Any]) -> tuple[str, str]:
    """By what an option or an answer is found when its points are asked for: system and code."""
    inner = next((each for key, each in value.items() if key.startswith("value")), None)
    if type(inner) is dict:
        return str(inner.get("system", "")), str(inner.get("code", ""))
    return "", str(inner)


def label_of(value: Any) -> str:
    """What an answer is called: a code's display, a reference's, a quantity with its unit."""
    if type(value) is not dict:
        if type(value) is bool:
            return "Yes" if value else "No"
        return "" if value is None else str(value)
    if "value" in value:
        return f"{value['value']} {value.get('unit') or value.get('code') or ''}".strip()
    for key in ("display", "title", "code", "reference", "url"):
        if type(value.get(key)) is str and value[key]:
            return str(value[key])
    return ""


def _conditions(raw: Mapping[str, Any]) -> Iterator[Condition]:
    for each in raw.get("enableWhen", ()):
        answer = next((v for k, v in each.items() if k.startswith("answer")), None)
        yield Condition(str(each.get("question", "")), str(each.get("operator", "=")), answer)


def _units(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name in ("unit", "unitOption"):
        for each in every(raw, name):
            value = value_of(each)
            if type(value) is dict:
                yield value


def _limits(raw: Mapping[str, Any]) -> Limits:
    return Limits(
        low=first(raw, "minQuantity") or first(raw, "minValue"),
        high=first(raw, "maxQuantity") or first(raw, "maxValue"),
        decimals=first(raw, "maxDecimalPlaces"),
        shortest=first(raw, "minLength"),
        longest=raw.get("maxLength"),
        pattern=str(first(raw, "regex") or ""),
        fewest=first(raw, "minOccurs"),
        most=first(raw, "maxOccurs"),
        max_size=first(raw, "maxSize"),
        media=tuple(str(value_of(each)) for each in every(raw, "mimeType")),
    )


def _look(raw: Mapping[str, Any], helps: Mapping[str, str]) -> Look:
    control = _code(first(raw, "itemControl"))
    return Look(
        control=control,
        help=helps.get("help", ""),
        hint=str(first(raw, "entryFormat") or helps.get("prompt", "")),
        short=str(first(raw, "shortText") or ""),
        hidden=first(raw, "hidden") is True,
        orientation=str(first(raw, "choiceOrientation") or ""),
        slider_step=first(raw, "sliderStepValue"),
        open_label=str(first(raw, "openLabel") or ""),
        disabled=str(raw.get("disabledDisplay", "hidden")),
    )


def _code(concept: Any) -> str:
    if type(concept) is not dict:
        return ""
    return next((str(each.get("code", "")) for each in concept.get("coding", ())), "")


_HELPS: Final = {"help": "help", "flyover": "help", "prompt": "prompt"}


def _split_helps(raw: Any) -> tuple[dict[str, str], list[Any]]:
    """Child texts that help with their parent's question, apart from what is asked beneath it."""
    helps: dict[str, str] = {}
    rest = []
    for each in raw if type(raw) is list else ():
        control = _code(first(each, "itemControl")) if type(each) is dict else ""
        if type(each) is dict and each.get("type") == "display" and control in _HELPS:
            helps[_HELPS[control]] = str(each.get("text", ""))
        else:
            rest.append(each)
    return helps, rest


def _band(extension: Mapping[str, Any]) -> Band:
    parts = {part.get("url"): value_of(part) for part in extension.get("extension", ())}
    return Band(
        low=parts.get("low"),
        high=parts.get("high"),
        label=str(parts.get("label", "")),
        action=str(parts.get("action", "")),
        severity=str(parts.get("severity", "none")),
    )
