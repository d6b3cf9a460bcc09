"""Kinds of damage to a valid resource: each breaks one place and tells which element it broke."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from helsevev.fhir.definitions import RESOURCE_TYPES, codes, elements, is_structure
from helsevev.fhir.primitive_checks import CHECKS

from .resource_places import Place

Damage = Callable[[Place], str | None]
"""Breaks the object of a place and gives the path to be told; None: it does not fit there."""


DAMAGES: dict[str, Damage] = {}


def damage(one: Damage) -> Damage:
    """List a damage by its name."""
    DAMAGES[one.__name__.replace("_", " ").strip()] = one
    return one


def _is_primitive(place: Place) -> bool:
    return place.type.name in CHECKS


def _is_complex(place: Place) -> bool:
    return is_structure(place.type.name)


def _sole(place: Place) -> bool:
    """Whether nothing but the value itself stands for it."""
    return f"_{place.name}" not in place.holder


@damage
def an_unknown_element(place: Place) -> str | None:
    place.holder["shoeSize"] = "43"
    return f"{place.inside}.shoeSize"


@damage
def a_misspelt_element(place: Place) -> str | None:
    place.holder[f"{place.name}x"] = place.holder.pop(place.name)
    return f"{place.inside}.{place.name}x"


@damage
def an_element_of_a_later_version(place: Place) -> str | None:
    place.holder["versionAlgorithmString"] = "semver"
    return f"{place.inside}.versionAlgorithmString"


@damage
def an_object_for_a_primitive(place: Place) -> str | None:
    return place.put({"value": place.value}) if _is_primitive(place) else None


@damage
def a_primitive_for_an_object(place: Place) -> str | None:
    return place.put("text") if _is_complex(place) else None


@damage
def a_number_for_a_text(place: Place) -> str | None:
    return place.put(7) if _is_primitive(place) and type(place.value) is str else None


@damage
def a_text_for_a_number(place: Place) -> str | None:
    is_number = isinstance(place.value, (int, Decimal)) and type(place.value) is not bool
    return place.put(str(place.value)) if is_number else None


@damage
def a_text_for_a_boolean(place: Place) -> str | None:
    return place.put("true") if type(place.value) is bool else None


@damage
def one_value_for_an_array(place: Place) -> str | None:
    if not place.element.repeats:
        return None
    place.holder[place.name] = place.value
    return place.path


@damage
def an_array_for_one_value(place: Place) -> str | None:
    if place.element.repeats:
        return None
    place.holder[place.name] = [place.value]
    return place.path


@damage
def too_many_of_what_stands_once(place: Place) -> str | None:
    if place.element.repeats:
        return None
    place.holder[place.name] = [place.value, place.value]
    return place.path


@damage
def an_array_in_an_array(place: Place) -> str | None:
    return place.put([place.value]) if place.element.repeats else None


@damage
def an_empty_array(place: Place) -> str | None:
    if not place.element.repeats:
        return None
    place.holder[place.name] = []
    return place.path


@damage
def an_empty_object(place: Place) -> str | None:
    return place.put({}) if _is_complex(place) else None


@damage
def null_for_a_value(place: Place) -> str | None:
    place.holder[place.name] = None
    return place.path


@damage
def null_in_an_array(place: Place) -> str | None:
    if not place.element.repeats or not _sole(place):
        return None
    place.holder[place.name] = [*place.holder[place.name], None]
    return f"{place.path}[{len(place.holder[place.name]) - 1}]"


@damage
def an_empty_text(place: Place) -> str | None:
    return place.put("") if _is_primitive(place) and type(place.value) is str else None


@damage
def a_required_element_left_out(place: Place) -> str | None:
    if not place.element.least or not _sole(place) or len(place.holder) == 1:
        return None
    del place.holder[place.name]
    return f"{place.inside}.{place.element.name.removesuffix('[x]')}"


@damage
def two_values_of_one_choice(place: Place) -> str | None:
    for name, kind in place.element.json_names().items():
        if place.element.is_choice and name != place.name and kind.name in _BAD:
            place.holder[name] = True
            return f"{place.inside}.{place.element.name[:-3]}"
    return None


@damage
def a_choice_of_a_type_it_has_not(place: Place) -> str | None:
    if not place.element.is_choice:
        return None
    stem = place.element.name[:-3]
    place.holder[f"{stem}Shoe"] = place.holder.pop(place.name)
    return f"{place.inside}.{stem}Shoe"


@damage
def a_code_that_the_binding_has_not(place: Place) -> str | None:
    if place.element.binding is None or codes(place.element.binding) is None:
        return None
    if place.type.name == "CodeableConcept":
        return place.put({"coding": [{"system": "http://example.org", "code": "shoe"}]})
    return place.put("shoe") if _is_primitive(place) else None


@damage
def a_code_in_capitals(place: Place) -> str | None:
    if place.element.binding is None or type(place.value) is not str:
        return None
    known = codes(place.element.binding)
    other = place.value.swapcase()
    if known is None or any(other in found for found in known.values()):
        return None
    return place.put(other)


_BAD: dict[str, tuple[Any, ...]] = {
    "base64Binary": ("?", "abc", "YWJj=YWJj"),
    "boolean": ("yes", 1),
    "canonical": ("a b",),
    "code": (" final", "a  b"),
    "date": ("2020-13-01", "2021-02-29", "20-1-1", "01.02.2020", "2020-01-01T10:00:00Z"),
    "dateTime": ("2020-01-01T10:00:00", "2020-01-01 10:00:00Z", "2020-01-01T24:10:00Z", "2020-1"),
    "decimal": ("1.5", Decimal("1e5000")),
    "id": ("a/b", "a" * 65, "å"),
    "instant": ("2020-01-01", "2020-01-01T10:00Z", "2020-06-31T10:00:00Z"),
    "integer": (1 << 31, Decimal("1.5"), "1"),
    "markdown": ("\x00", "a\x0bb"),
    "oid": ("1.2.3", "urn:oid:3.1", "urn:oid:1.02"),
    "positiveInt": (0, -1, 1 << 31),
    "string": ("\x00", "a\x1bb", "\x08"),
    "time": ("25:00:00", "10:00", "10:00:00Z"),
    "unsignedInt": (-1, Decimal("0.5")),
    "uri": ("http://example.org/a b", "a\tb"),
    "url": ("http://example.org/a b",),
    "uuid": ("urn:uuid:1", "c757873d-ec9a-4326-a141-556f43239520"),
}


def _misshapen(kind: str) -> Damage:
    """Values that are no `kind`, where one stands, and in an extension where one can."""

    def one(place: Place) -> str | None:
        bad = _BAD[kind][len(place.path) % len(_BAD[kind])]
        if place.type.name == kind:
            return place.put(bad)
        if place.depth or place.structure in ("Bundle", "Parameters", "Binary", "Narrative"):
            return None
        if "extension" not in elements(place.structure):
            return None
        held = place.holder.setdefault("extension", [])
        place.holder["extension"] = [
            *held, {"url": "http://example.org/x", f"value{kind[0].upper()}{kind[1:]}": bad},
        ]  # fmt: skip
        return f"{place.inside}.extension[{len(held)}].value.ofType({kind})"

    return one


for _kind in _BAD:
    DAMAGES[f"no {_kind}"] = _misshapen(_kind)


def _reference(place: Place, text: str, below: str = ".reference") -> str | None:
    if place.type.name != "Reference":
        return None
    return f"{place.put({'reference': text})}{below}"


@damage
def a_reference_to_a_wrong_type(place: Place) -> str | None:
    targets = place.type.targets
    return _reference(place, "Binary/1", "") if targets and "Binary" not in targets else None


@damage
def a_reference_to_no_type(place: Place) -> str | None:
    return _reference(place, "Shoe/1")


@damage
def a_reference_that_is_none(place: Place) -> str | None:
    return _reference(place, "Patient Ola Nordmann")


@damage
def a_reference_to_what_is_not_contained(place: Place) -> str | None:
    return _reference(place, "#nowhere") if not place.depth else None


@damage
def an_extension_without_url(place: Place) -> str | None:
    if place.type.name != "Extension":
        return None
    return f"{place.put({'valueString': 'x'})}.url"


@damage
def an_extension_with_value_and_extensions(place: Place) -> str | None:
    if place.type.name != "Extension":
        return None
    inner = {"url": "y", "valueString": "x"}
    return place.put({"url": "http://x", "valueString": "x", "extension": [inner]})


@damage
def an_extension_with_nothing(place: Place) -> str | None:
    return place.put({"url": "http://x"}) if place.type.name == "Extension" else None


@damage
def an_extension_of_a_primitive_that_holds_nothing(place: Place) -> str | None:
    if not _is_primitive(place) or place.element.repeats or place.type.name == "xhtml":
        return None
    place.holder[f"_{place.name}"] = {}
    return place.path


@damage
def extensions_of_primitives_in_an_array_of_another_length(place: Place) -> str | None:
    if not _is_primitive(place) or not place.element.repeats:
        return None
    place.holder[f"_{place.name}"] = [None] * len(place.holder[place.name]) + [{"id": "a"}]
    return place.path


@damage
def an_object_beside_an_object(place: Place) -> str | None:
    if not _is_complex(place):
        return None
    place.holder[f"_{place.name}"] = {"id": "a"}
    return f"{place.inside}._{place.name}"


def _narrative(content: str) -> Damage:
    def one(place: Place) -> str | None:
        return place.put(content) if place.type.name == "xhtml" else None

    return one


_DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'
for _name, _content in {
    "a narrative with a script": f"{_DIV}<script>alert(1)</script></div>",
    "a narrative with an event": f'{_DIV}<p onclick="alert(1)">x</p></div>',
    "a narrative with a link that runs": f'{_DIV}<a href="java&#10;script:x()">x</a></div>',
    "a narrative with a form": f'{_DIV}<form action="/x"><input/></form></div>',
    "a narrative with an entity of its own": f'<!DOCTYPE div [<!ENTITY a "b">]>{_DIV}&a;</div>',
    "a narrative that does not close": f"{_DIV}<p>x</div>",
    "a narrative that is no div": "<p>x</p>",
    "a narrative in plain text": "Ola Nordmann",
}.items():
    DAMAGES[_name] = _narrative(_content)


@damage
def a_wrong_resource_type(place: Place) -> str | None:
    if place.structure not in RESOURCE_TYPES:
        return None
    place.holder["resourceType"] = "Shoe"
    return f"{place.inside if place.depth else 'Resource'}.resourceType"


@damage
def no_resource_type(place: Place) -> str | None:
    if place.structure not in RESOURCE_TYPES:
        return None
    del place.holder["resourceType"]
    return f"{place.inside if place.depth else 'Resource'}.resourceType"


@damage
def contained_in_contained(place: Place) -> str | None:
    if place.name != "contained":
        return None
    inner = {"resourceType": "Basic", "id": "in", "code": {"text": "x"}}
    place.put({**place.value, "contained": [inner]})
    return f"{place.first}.contained"


@damage
def a_version_of_what_is_contained(place: Place) -> str | None:
    if place.name != "contained":
        return None
    place.put({**place.value, "meta": {"versionId": "1"}})
    return f"{place.first}.meta.versionId"


@damage
def a_contained_resource_that_nothing_names(place: Place) -> str | None:
    if place.structure not in RESOURCE_TYPES - {"Bundle", "Parameters", "Binary"} or place.depth:
        return None
    held = place.holder.get("contained", [])
    alone = {"resourceType": "Basic", "id": "alone", "code": {"text": "x"}}
    place.holder["contained"] = [*held, alone]
    return f"{place.inside}.contained[{len(held)}]"
