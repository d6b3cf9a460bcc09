"""From the short form of a form or score to the FHIR Questionnaire that it becomes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from helsevev.content.packs import form_extensions as extensions
from helsevev.content.packs import formulas
from helsevev.content.packs.form_extensions import CORE, OWN, SDC
from helsevev.content.packs.short_form import VITAL_SIGNS, Choice, Question, ShortForm, Total, When

FORMS: Final = "https://helsevev.no/fhir/Questionnaire/"
_CODES: Final = "http://helsevev.no/fhir/CodeSystem/"
_SYSTEMS: Final = {
    "loinc": "http://loinc.org", "snomed": "http://snomed.info/sct",
    "iplos": "urn:oid:2.16.578.1.12.4.1.1.9111",
    "nlk": "urn:oid:2.16.578.1.12.4.1.1.7280", "icf": "http://hl7.org/fhir/sid/icf",
}  # fmt: skip
_VARIABLE: Final = re.compile(r"%([a-z][a-z0-9_]*)")
_NORDIC: Final = str.maketrans({"æ": "ae", "ø": "o", "å": "a"})


def questionnaire_of(form: ShortForm, key: str) -> dict[str, Any]:
    """The Questionnaire of a short form. ValueError says what cannot become one."""
    made: dict[str, Any] = _with_ids(_Writing(form, key).written())
    return made


def _with_ids(value: Any, said: str = "") -> Any:
    """Variables named as R4 wants them: Expression.name is an id, which has no underscore."""
    if isinstance(value, dict):
        return {name: _with_ids(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_ids(each) for each in value]
    if said == "expression" and isinstance(value, str):
        return _VARIABLE.sub(lambda found: f"%{_camel(found[1])}", value)
    return _camel(value) if said == "name" and isinstance(value, str) else value


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(word.capitalize() for word in more)


def slug(text: str) -> str:
    """A code made of a text."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower().translate(_NORDIC)).strip("-")
    return plain[:60].rstrip("-") or "option"


class _Writing:
    """One form while it is written out."""

    def __init__(self, form: ShortForm, key: str) -> None:
        self.form = form
        self.key = key
        self.names = {each.key: each for each in form.questions()}
        self.depth = formulas.depth_of(form)

    def written(self) -> dict[str, Any]:
        form = self.form
        items = [each for question in form.item for each in self._items(question)]
        for total in form.total:
            items.extend(self._total(total))
        resource = {
            "resourceType": "Questionnaire",
            "id": self.key.replace("_", "-"),
            "url": f"{FORMS}{self.key}",
            "version": form.version,
            "name": slug(self.key).replace("-", "_"),
            "title": form.title,
            "status": "active" if form.status == "approved" else "draft",
            "subjectType": ["Patient"],
            "publisher": form.owner,
            "description": form.about,
            "purpose": "\n".join(form.source),
            "code": [self.coding(form.code, "")] if form.code else [],
            "extension": [
                *({"url": f"{OWN}form-profession", "valueCode": each} for each in form.professions),
                *self._variables(),
            ],
            "item": items,
        }
        return {name: value for name, value in resource.items() if value not in ("", [])}

    def _variables(self) -> Iterator[dict[str, Any]]:
        """The answers that expressions name, by their keys."""
        said = [each.calculate for each in self.names.values()]
        said += [each.calculate for each in self.form.total]
        said += [each.when_true for each in self.names.values()]
        said += [each.rule for each in self.names.values()]
        wanted = set().union(*(formulas.names_in(each) for each in said))
        stepped = {each.key for each in self.names.values() if each.steps}
        totals = {each.key for each in self.form.total}
        points = {f"{each}_points" for each in stepped}
        for name in (*self.names, *sorted(points), *sorted(totals)):
            if name in wanted or name in stepped:
                question = self.names.get(name)
                is_quantity = question is not None and question.kind == "quantity"
                yield extensions.expression(
                    f"{CORE}variable",
                    formulas.answer_to(name, depth=self.depth, number=is_quantity),
                    name,
                )

    def _items(self, question: Question) -> Iterator[dict[str, Any]]:
        yield self._item(question)
        if question.steps:
            yield self._points(question)

    def _item(self, question: Question) -> dict[str, Any]:
        kind = question.kind
        helps = [
            {
                "linkId": f"{question.key}-help", "type": "display", "text": question.help,
                "extension": [extensions.control("help")],
            }
        ] if question.help else []  # fmt: skip
        required = question.required
        if required is None:
            required = self._counts(question) and not question.repeats
        item = {
            "linkId": question.key,
            "code": self._codes(question),
            "text": question.text,
            "type": kind,
            "required": required,
            "repeats": question.repeats,
            "readOnly": bool(question.calculate),
            "maxLength": question.longest,
            "enableWhen": [self._when(each) for each in question.when],
            "enableBehavior": self._behaviour(question),
            "answerOption": [self._option(each) for each in self._choices(question)],
            "initial": self._initial(question),
            "extension": list(self._extensions(question)),
            "item": [*helps, *(each for q in question.item for each in self._items(q))],
        }
        return {name: value for name, value in item.items() if extensions.is_said(value)}

    def _behaviour(self, question: Question) -> str | None:
        if len(question.when) < 2:
            return None
        return "any" if question.when_any else "all"

    def _counts(self, question: Question) -> bool:
        return any(question.key in formulas.parts_of(each, self.form) for each in self.form.total)

    def _codes(self, question: Question) -> list[dict[str, Any]]:
        if question.code:
            return [self.coding(question.code, question.key)]
        return [self._own(question.key, question.text)] if self._counts(question) else []

    def coding(self, said: str, own: str) -> dict[str, Any]:
        """A Coding from "loinc:9269-2 Display"; "" is a code of this form's own."""
        if not said:
            return self._own(own, "")
        code, _, display = said.partition(" ")
        system, colon, value = code.partition(":")
        if not colon or system not in _SYSTEMS or not value:
            raise ValueError(f"{said!r}: a code is one of {', '.join(_SYSTEMS)}, a colon, the code")
        found = {"system": _SYSTEMS[system], "code": value, "display": display.strip()}
        return {name: each for name, each in found.items() if each}

    def _own(self, code: str, display: str) -> dict[str, Any]:
        found = {"system": f"{_CODES}{self.key}", "code": code, "display": display}
        return {name: each for name, each in found.items() if each}

    def _choices(self, question: Question) -> tuple[Choice, ...]:
        return self.form.choices(question)

    def _option(self, choice: Choice) -> dict[str, Any]:
        coding = self.coding(choice.code, slug(choice.text))
        coding["display"] = choice.text
        if choice.points is not None:
            coding["extension"] = [{"url": f"{CORE}ordinalValue", "valueDecimal": choice.points}]
        alone = [{"url": f"{CORE}questionnaire-optionExclusive", "valueBoolean": True}]
        return {"valueCoding": coding, **({"extension": alone} if choice.alone else {})}

    def _when(self, when: When) -> dict[str, Any]:
        ((operator, value),) = when.said()
        asked = self.names.get(when.item)
        found = {"question": when.item, "operator": operator}
        if isinstance(value, bool):
            return {**found, "answerBoolean": value}
        if isinstance(value, str) and asked is not None and (choices := self._choices(asked)):
            for choice in choices:
                option = self._option(choice)["valueCoding"]
                if value in (choice.text, option["code"]):
                    kept = {key: option[key] for key in ("system", "code", "display")}
                    return {**found, "answerCoding": kept}
            raise ValueError(f"{when.item} has no answer {value!r}")
        if isinstance(value, str):
            return {**found, "answerString": value}
        if asked is not None and asked.kind == "quantity":
            return {**found, "answerQuantity": {"value": value, **extensions.unit(asked.unit)}}
        whole = asked is not None and asked.kind == "integer"
        return {**found, **({"answerInteger": int(value)} if whole else {"answerDecimal": value})}

    def _initial(self, question: Question) -> list[dict[str, Any]]:
        if question.initial is None:
            return []
        value = question.initial
        for choice in self._choices(question):
            option = self._option(choice)["valueCoding"]
            if value in (choice.text, option["code"]):
                return [{"valueCoding": option}]
        key = {
            "boolean": "valueBoolean", "integer": "valueInteger", "decimal": "valueDecimal",
            "date": "valueDate", "quantity": "valueQuantity",
        }.get(question.kind, "valueString")  # fmt: skip
        if key == "valueQuantity":
            value = {"value": value, **extensions.unit(question.unit)}
        return [{key: value}]

    def _extensions(self, question: Question) -> Iterator[dict[str, Any]]:
        if question.unit and question.kind in ("quantity", "integer", "decimal"):
            yield {
                "url": f"{CORE}questionnaire-unit",
                "valueCoding": extensions.unit_coding(question.unit),
            }
        for name, value in (("minValue", question.low), ("maxValue", question.high)):
            if value is not None:
                yield extensions.limit(name, value, question)
        if question.decimals is not None:
            yield {"url": f"{CORE}maxDecimalPlaces", "valueInteger": question.decimals}
        if question.hidden:
            yield {"url": f"{CORE}questionnaire-hidden", "valueBoolean": True}
        if question.control:
            yield extensions.control(question.control)
        if question.short:
            yield {"url": f"{SDC}shortText", "valueString": question.short}
        if question.hint:
            yield {"url": f"{CORE}entryFormat", "valueString": question.hint}
        for each in question.to:
            yield {"url": f"{CORE}questionnaire-referenceResource", "valueCode": each}
        if question.when_true:
            yield extensions.expression(f"{SDC}enableWhenExpression", question.when_true)
        if question.calculate:
            yield extensions.expression(f"{SDC}calculatedExpression", question.calculate)
        if question.prefill:
            yield extensions.expression(f"{SDC}initialExpression", question.prefill)
        if question.prefill_within:
            yield extensions.period(question)
        if question.rule:
            yield extensions.constraint(question)
        yield from self._stored(question)

    def _stored(self, question: Question) -> Iterator[dict[str, Any]]:
        counts = self._counts(question) and not question.steps
        stores = question.store
        if stores is None:
            stores = bool(question.code) and not counts
        if not stores:
            return
        if question.store_points:
            yield {"url": f"{OWN}store-points", "valueBoolean": True}
        inside = any(question in each.item and each.code for each in self.names.values())
        value = {"valueCode": "component"} if inside else {"valueBoolean": True}
        yield {"url": f"{SDC}observationExtract", **value}
        if not inside:
            code = question.code.partition(" ")[0].partition(":")[2]
            vital = "vital-signs" if code in VITAL_SIGNS else "survey"
            yield extensions.category(question.category or vital)

    def _points(self, question: Question) -> dict[str, Any]:
        """The hidden points that a number gives by its steps."""
        return {
            "linkId": f"{question.key}_points",
            "text": question.text,
            "type": "decimal",
            "readOnly": True,
            "code": [self._own(f"{question.key}_points", question.text)],
            "extension": [
                {
                    "url": f"{CORE}questionnaire-unit",
                    "valueCoding": extensions.unit_coding("{score}"),
                },
                {"url": f"{CORE}questionnaire-hidden", "valueBoolean": True},
                extensions.expression(
                    f"{SDC}calculatedExpression", formulas.steps_of(question.key, question.steps)
                ),
            ],
        }

    def _total(self, total: Total) -> Iterator[dict[str, Any]]:
        parts = formulas.parts_of(total, self.form)
        expression = total.calculate or formulas.sum_of(total, self.form)
        bands = total.read_bands()
        said: list[dict[str, Any]] = [
            {"url": f"{CORE}questionnaire-unit", "valueCoding": extensions.unit_coding(total.unit)},
            extensions.expression(f"{SDC}calculatedExpression", expression),
            *({"url": f"{OWN}score-of", "valueString": formulas.link_of(each, self.names)}
              for each in parts),
            *(extensions.band(each) for each in bands),
        ]  # fmt: skip
        if total.decimals is not None:
            said.append({"url": f"{CORE}maxDecimalPlaces", "valueInteger": total.decimals})
        if total.store:
            said.append({"url": f"{SDC}observationExtract", "valueBoolean": True})
            said.append(extensions.category("survey"))
        helps = [
            {
                "linkId": f"{total.key}-help", "type": "display", "text": total.help,
                "extension": [extensions.control("help")],
            }
        ] if total.help else []  # fmt: skip
        yield {
            "linkId": total.key,
            "code": [
                self.coding(total.code, total.key) if total.code
                else self._own(total.key, f"{self.form.title}: {total.text}")
            ],
            "text": total.text,
            "type": "decimal",
            "readOnly": True,
            "extension": said,
            **({"item": helps} if helps else {}),
        }  # fmt: skip
        if bands:
            yield {
                "linkId": f"{total.key}_band",
                "text": total.text,
                "type": "string",
                "readOnly": True,
                "extension": [
                    {"url": f"{CORE}questionnaire-hidden", "valueBoolean": True},
                    extensions.expression(
                        f"{SDC}calculatedExpression",
                        formulas.band_of(total.key, bands),
                    ),
                ],
            }
