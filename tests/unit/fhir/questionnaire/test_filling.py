"""A form with answers: what is asked, worked out, refused and kept, whatever is put into it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helsevev.content.packs.forms import Form
from helsevev.content.packs.shelf import built_in
from helsevev.fhir.questionnaire import Filled, NotAForm, Origin, extract, fill, prepare
from helsevev.fhir.questionnaire.comparing import value_of
from helsevev.fhir.questionnaire.origins import calculated, kept, marked, of
from helsevev.fhir.questionnaire.trying import response_of
from helsevev.fhir.validation import validate

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
CORE = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
KG = {"value": Decimal(70), "system": "http://unitsofmeasure.org", "code": "kg"}


def expression(name: str, text: str, *, base: str = SDC, called: str = "") -> dict[str, Any]:
    named = {"name": called} if called else {}
    said = {"language": "text/fhirpath", "expression": text, **named}
    return {"url": base + name, "valueExpression": said}


def form(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Questionnaire", "status": "active", "item": list(items), **more}


def item(link: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    return {"linkId": link, "type": kind, "text": link, **more}


def filled(questionnaire: dict[str, Any], answers: Mapping[str, Any], **context: Any) -> Filled:
    prepared = prepare(questionnaire)
    return fill(prepared, response_of(prepared, answers), context=context, now=NOW)


def value(found: Filled, key: str) -> Any:
    place = found.by_key[key]
    return value_of(place.answers[0]) if place.enabled and place.answers else None


def kinds(found: Filled) -> list[tuple[str, str]]:
    return [(each.kind, each.key) for each in found.issues]


CODING = {"system": "http://x", "code": "a", "display": "A"}


@pytest.mark.parametrize(
    ("kind", "answer", "operator", "wanted", "asked"),
    [
        ("boolean", True, "=", {"answerBoolean": True}, True),
        ("boolean", False, "=", {"answerBoolean": True}, False),
        ("boolean", None, "=", {"answerBoolean": False}, False),
        ("boolean", None, "exists", {"answerBoolean": False}, True),
        ("boolean", False, "exists", {"answerBoolean": True}, True),
        ("integer", 5, ">", {"answerInteger": 5}, False),
        ("integer", 5, ">=", {"answerInteger": 5}, True),
        ("integer", 5, "<", {"answerInteger": 6}, True),
        ("integer", None, "<", {"answerInteger": 6}, False),
        ("decimal", Decimal("5.0"), "=", {"answerDecimal": Decimal(5)}, True),
        ("decimal", Decimal("5.1"), "!=", {"answerDecimal": Decimal(5)}, True),
        ("string", "ja", "=", {"answerString": "ja"}, True),
        ("date", "2026-01-02", ">", {"answerDate": "2026-01-01"}, True),
        ("date", "2026-01", ">", {"answerDate": "2026-01-01"}, False),
        ("choice", CODING, "=", {"answerCoding": {"system": "http://x", "code": "a"}}, True),
        ("choice", CODING, "=", {"answerCoding": {"system": "http://y", "code": "a"}}, False),
        ("quantity", KG, ">", {"answerQuantity": {**KG, "value": 69999, "code": "g"}}, True),
        ("quantity", KG, "=", {"answerQuantity": {**KG, "value": 70000, "code": "g"}}, True),
        ("quantity", KG, ">", {"answerQuantity": {**KG, "value": 1, "code": "cm"}}, False),
    ],
)  # fmt: skip
def test_a_question_is_asked_when_another_is_answered_so(
    kind: str, answer: Any, operator: str, wanted: dict[str, Any], asked: bool
) -> None:
    when = {"question": "a", "operator": operator, **wanted}
    questionnaire = form(item("a", kind), item("b", enableWhen=[when]))
    found = filled(questionnaire, {} if answer is None else {"a": answer})
    assert ("b" in found.enabled) is asked


def test_what_is_no_longer_asked_is_not_signed_and_counts_for_nothing() -> None:
    when = {"question": "a", "operator": "=", "answerBoolean": True}
    inner = {"question": "b", "operator": "exists", "answerBoolean": True}
    text = "%resource.item.where(linkId='b').answer.value.sum()"
    questionnaire = form(
        item("a", "boolean"), item("b", "integer", enableWhen=[when]),
        item("c", enableWhen=[inner]),
        item("sum", "integer", extension=[expression("calculatedExpression", text)]),
    )  # fmt: skip
    found = filled(questionnaire, {"a": False, "b": 7, "c": "x"})
    assert found.enabled == {"a", "sum"}
    assert [each["linkId"] for each in found.response["item"]] == ["a", "sum"]
    assert value(found, "sum") == 0
    # Whoever changes their mind finds what they had written.
    assert found.by_key["b"].answers
    again = filled(questionnaire, {"a": True, "b": 7, "c": "x"})
    assert (value(again, "sum"), value(again, "c")) == (7, "x")


def test_any_or_all_conditions() -> None:
    whens = [{"question": "a", "operator": "=", "answerBoolean": True},
             {"question": "b", "operator": "=", "answerBoolean": True}]  # fmt: skip
    for behaviour, asked in (("any", True), ("all", False)):
        questionnaire = form(
            item("a", "boolean"), item("b", "boolean"),
            item("c", enableWhen=whens, enableBehavior=behaviour),
        )  # fmt: skip
        assert ("c" in filled(questionnaire, {"a": True, "b": False}).enabled) is asked


def test_in_a_repeated_group_the_nearest_answer_counts() -> None:
    when = {"question": "kind", "operator": "=", "answerString": "x"}
    questionnaire = form(
        item("wound", "group", repeats=True, item=[item("kind"), item("depth", enableWhen=[when])])
    )
    found = filled(questionnaire, {"wound": [{"kind": "x", "depth": "1"}, {"kind": "y"}]})
    assert found.by_key["wound[0]/depth"].enabled
    assert not found.by_key["wound[1]/depth"].enabled
    assert len(found.response["item"]) == 2


def test_answers_beneath_each_of_several_answers_stay_with_theirs() -> None:
    questionnaire = form(item("drug", repeats=True, item=[item("dose")]))
    response = {"item": [{"linkId": "drug", "answer": [
        {"valueString": "a", "item": [{"linkId": "dose", "answer": [{"valueString": "1"}]}]},
        {"valueString": "b", "item": [{"linkId": "dose", "answer": [{"valueString": "2"}]}]},
    ]}]}  # fmt: skip
    found = fill(prepare(questionnaire), response, context={}, now=NOW)
    assert [
        (each["valueString"], each["item"][0]["answer"][0]["valueString"])
        for each in found.response["item"][0]["answer"]
    ] == [("a", "1"), ("b", "2")]
    assert {"drug[0]/dose", "drug[1]/dose"} <= set(found.by_key)


def test_calculations_that_rest_on_each_other_are_worked_out_in_any_order() -> None:
    def plus(link: str, other: str) -> dict[str, Any]:
        text = f"%resource.item.where(linkId='{other}').answer.value + 1"
        return item(link, "integer", extension=[expression("calculatedExpression", text)])

    links = [f"n{number}" for number in range(12)]
    chain = [plus(one, other) for one, other in zip(links, [*links[1:], "start"], strict=True)]
    found = filled(form(*chain, item("start", "integer")), {"start": 1})
    assert value(found, "n0") == 13
    assert not found.issues


def test_calculations_that_never_settle_are_told_and_end() -> None:
    grow = "%resource.item.where(linkId='a').answer.value.sum() + 1"
    found = filled(
        form(item("a", "integer", extension=[expression("calculatedExpression", grow)])), {}
    )
    assert ("unsettled", "") in kinds(found)


def test_a_calculation_that_fails_says_why_and_leaves_the_rest() -> None:
    found = filled(
        form(
            item("a", "integer", extension=[expression("calculatedExpression", "%nowhere + 1")]),
            item("b", "integer", extension=[expression("calculatedExpression", "1 + 1")]),
            item("c", "integer", extension=[expression("calculatedExpression", "2.5")]),
        ),
        {},
    )
    assert kinds(found) == [("not-calculated", "a"), ("not-calculated", "c")]
    assert "nowhere" in found.issues[0].detail
    assert value(found, "b") == 2


def test_an_answer_put_in_the_place_of_a_calculation_stands() -> None:
    questionnaire = form(item("a", "integer", extension=[expression("calculatedExpression", "41")]))
    answer = marked({"valueInteger": 42}, Origin("overridden"))
    response = {"item": [{"linkId": "a", "answer": [answer]}]}
    found = fill(prepare(questionnaire), response, context={}, now=NOW)
    assert value(found, "a") == 42
    assert found.origin("a") == Origin("overridden")
    assert filled(questionnaire, {}).origin("a") == Origin("calculated")


def test_an_answer_keeps_where_it_is_from_until_it_is_changed() -> None:
    before = [marked({"valueInteger": 5}, Origin("populated", "Observation/1", "2026-01-01"))]
    assert of(kept({"valueInteger": 5}, before)) == Origin(
        "populated", "Observation/1", "2026-01-01"
    )
    assert of(kept({"valueInteger": 6}, before)) is None
    assert of(kept(calculated({"valueInteger": 5}), before)) == Origin("calculated")


def test_what_was_taken_from_the_record_is_not_written_to_it_again() -> None:
    code = [{"system": "http://loinc.org", "code": "29463-7"}]
    extracted = {"url": f"{SDC}observationExtract", "valueBoolean": True}
    prepared = prepare(form(item("w", "decimal", code=code, extension=[extracted])))
    answer = {"valueDecimal": Decimal(70)}
    for given_answer, made in (
        (marked(answer, Origin("populated", "Observation/1")), 0),
        (answer, 1),
    ):
        response = {"item": [{"linkId": "w", "answer": [given_answer]}]}
        signed = fill(prepared, response, context={}, now=NOW).response
        found = extract(prepared, signed, subject="Patient/p", author={}, at=NOW)
        assert len(found) == made


def test_components_and_members_of_a_group_are_kept_together() -> None:
    def coded(link: str, how: str) -> dict[str, Any]:
        said = {"url": f"{SDC}observationExtract", "valueCode": how}
        code = [{"system": "http://loinc.org", "code": link}]
        return item(link, "decimal", code=code, extension=[said])

    panel = item(
        "85354-9", "group", item=[coded("8480-6", "component"), coded("8867-4", "member")],
        code=[{"system": "http://loinc.org", "code": "85354-9"}],
        extension=[{"url": f"{SDC}observationExtract", "valueBoolean": True}],
    )  # fmt: skip
    prepared = prepare(form(panel))
    answers = {"8480-6": Decimal(120), "8867-4": Decimal(70)}
    signed = fill(prepared, response_of(prepared, answers), context={}, now=NOW).response
    made = extract(prepared, signed, subject="Patient/p", author={}, at=NOW)
    whole, pulse = made
    assert whole.resource["component"][0]["valueQuantity"]["value"] == 120
    assert whole.resource["hasMember"] == [{"reference": pulse.address}]
    assert extract(prepared, {}, subject="Patient/p", author={}, at=NOW) == []


@pytest.mark.parametrize(
    ("question", "answer", "kind"),
    [
        (item("a", required=True), None, "required"),
        (item("a", "integer", extension=[{"url": f"{CORE}minValue", "valueInteger": 1}]), 0,
         "too-low"),
        (item("a", "integer", extension=[{"url": f"{CORE}maxValue", "valueInteger": 1}]), 2,
         "too-high"),
        (item("a", "quantity", extension=[{"url": f"{SDC}maxQuantity", "valueQuantity": KG}]),
         {**KG, "value": 71}, "too-high"),
        (item("a", "date", extension=[{"url": f"{CORE}maxValue", "valueDate": "2026-01-01"}]),
         "2026-02-01", "too-high"),
        (item("a", maxLength=3), "abcd", "too-long"),
        (item("a", extension=[{"url": f"{CORE}minLength", "valueInteger": 3}]), "ab", "too-short"),
        (item("a", extension=[{"url": f"{CORE}regex", "valueString": "[0-9]+"}]), "x", "pattern"),
        (item("a", "decimal", extension=[{"url": f"{CORE}maxDecimalPlaces", "valueInteger": 1}]),
         Decimal("1.25"), "decimals"),
        (item("a", repeats=True, extension=[{"url": f"{CORE}questionnaire-minOccurs",
                                             "valueInteger": 2}]), "x", "too-few"),
    ],
)  # fmt: skip
def test_what_does_not_fit_stands_in_the_way(
    question: dict[str, Any], answer: Any, kind: str
) -> None:
    prepared = prepare(form(question))
    answers = [] if answer is None else [_answer(question["type"], answer)]
    response = {"item": [{"linkId": "a", "answer": answers}]} if answers else {}
    found = fill(prepared, response, context={}, now=NOW)
    assert kinds(found) == [(kind, "a")]
    assert not found.complete


def _answer(kind: str, value: Any) -> dict[str, Any]:
    key = {"integer": "valueInteger", "decimal": "valueDecimal", "date": "valueDate",
           "quantity": "valueQuantity"}.get(kind, "valueString")  # fmt: skip
    return {key: value}


def test_a_forms_own_rules_stop_or_warn() -> None:
    def rule(severity: str, text: str) -> dict[str, Any]:
        return {"url": f"{CORE}questionnaire-constraint", "extension": [
            {"url": "key", "valueId": "r"}, {"url": "severity", "valueCode": severity},
            {"url": "human", "valueString": "Slutt er før start."},
            {"url": "expression", "valueString": text},
        ]}  # fmt: skip

    text = ("%resource.item.where(linkId='a').answer.value"
            " <= %resource.item.where(linkId='b').answer.value")  # fmt: skip
    for severity, kind in (("error", "constraint"), ("warning", "warning")):
        questionnaire = form(item("a", "date"), item("b", "date", extension=[rule(severity, text)]))
        late = filled(questionnaire, {"a": "2026-02-01", "b": "2026-01-01"})
        assert [(each.kind, each.detail) for each in late.issues] == [(kind, "Slutt er før start.")]
        assert late.complete is (kind == "warning")
        assert not filled(questionnaire, {"a": "2026-01-01", "b": "2026-02-01"}).issues
    whole = form(item("a", "integer"), extension=[rule("error", "item.answer.value > 3")])
    assert kinds(filled(whole, {"a": 3})) == [("constraint", "")]


def test_only_offered_answers_and_exclusive_ones_alone() -> None:
    alone = {"url": f"{CORE}questionnaire-optionExclusive", "valueBoolean": True}
    options = [{"valueCoding": {"code": "a"}}, {"valueCoding": {"code": "b"}},
               {"valueCoding": {"code": "none"}, "extension": [alone]}]  # fmt: skip
    questionnaire = form(item("q", "choice", repeats=True, answerOption=options))

    def with_codes(*codes: str) -> list[tuple[str, str]]:
        answers = [{"valueCoding": {"code": code}} for code in codes]
        response = {"item": [{"linkId": "q", "answer": answers}]}
        return kinds(fill(prepare(questionnaire), response, context={}, now=NOW))

    assert with_codes("a", "b") == []
    assert with_codes("a", "none") == [("exclusive", "q")]
    assert with_codes("c") == [("option", "q")]


def test_points_are_those_of_the_question_that_is_answered() -> None:
    """The same code gives one point in one question and two in another."""

    def scored(link: str, points: int) -> dict[str, Any]:
        weight = {"url": f"{CORE}ordinalValue", "valueDecimal": points}
        option = {"valueCoding": {"system": "http://x", "code": "yes", "extension": [weight]}}
        return item(link, "choice", answerOption=[option])

    text = "%resource.item.answer.value.ofType(Coding).weight().sum()"
    total = item("t", "integer", extension=[expression("calculatedExpression", text)])
    response = {"item": [
        {"linkId": link, "answer": [{"valueCoding": {"system": "http://x", "code": "yes"}}]}
        for link in ("a", "b")
    ]}  # fmt: skip
    found = fill(prepare(form(scored("a", 1), scored("b", 2), total)), response, context={},
                 now=NOW)  # fmt: skip
    assert value(found, "t") == 3


@pytest.mark.parametrize(
    "questionnaire",
    [
        {"resourceType": "Patient"},
        form({"type": "string"}),
        form(item("a"), item("a")),
        form(
            item("a", enableWhen=[{"question": "b", "operator": "exists", "answerBoolean": True}])
        ),
    ],
)
def test_what_is_no_form_is_refused(questionnaire: dict[str, Any]) -> None:
    with pytest.raises(NotAForm):
        prepare(questionnaire)


def test_extensions_that_are_not_known_are_named_wherever_they_stand() -> None:
    strange = {"url": "http://example.org/strange", "valueString": "x"}
    options = [{"valueCoding": {"code": "a", "extension": [strange]}}]
    prepared = prepare(
        form(item("a", "choice", answerOption=options), item("b", extension=[strange]),
             extension=[strange])
    )  # fmt: skip
    assert [each.link_id for each in prepared.unsupported] == ["a", "b", ""]
    assert {each.url for each in prepared.unsupported} == {"http://example.org/strange"}


_FORMS = [prepare(form.questionnaire) for pack in built_in() for form in pack.of(Form).values()]
_VALUES = st.one_of(
    st.booleans().map(lambda v: {"valueBoolean": v}),
    st.integers(-1000, 1000).map(lambda v: {"valueInteger": v}),
    st.decimals(-1000, 1000, places=2).map(lambda v: {"valueDecimal": v}),
    st.text(max_size=5).map(lambda v: {"valueString": v}),
    st.decimals(0, 500, places=1).map(lambda v: {"valueQuantity": {"value": v, "unit": "kg"}}),
    st.sampled_from(["2026-01-01", "2026", "x"]).map(lambda v: {"valueDate": v}),
    st.sampled_from(["a", "ja", "ingen"]).map(lambda v: {"valueCoding": {"code": v}}),
)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_is_answered_a_form_is_worked_out_and_stays_so(data: st.DataObject) -> None:
    prepared = data.draw(st.sampled_from(_FORMS))
    links = data.draw(st.lists(st.sampled_from(sorted(prepared.by_link)), unique=True, max_size=8))
    items: list[dict[str, Any]] = []
    for link in links:
        own = [dict(each.value) for each in prepared.by_link[link].options]
        pick = bool(own) and data.draw(st.booleans())
        strategy: st.SearchStrategy[Any] = st.sampled_from(own) if pick else _VALUES
        items.append({"linkId": link, "answer": [data.draw(strategy)]})
    once = fill(prepared, {"item": items}, context={}, now=NOW)
    again = fill(prepared, once.response, context={}, now=NOW)
    assert again.response == once.response
    assert again.enabled == once.enabled
    made = extract(prepared, once.response, subject="Patient/p", author={}, at=NOW)
    if once.complete:
        for each in made:
            assert validate({**each.resource, "performer": [{"reference": "Practitioner/a"}]}) == []
