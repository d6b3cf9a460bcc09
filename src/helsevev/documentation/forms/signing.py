"""A form's life: signed whole with what follows from it, corrected with a reason, or withdrawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from helsevev.access.entries import created, replaced, transaction
from helsevev.documentation.note import Author
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import mapping, objects, reference_key, text
from helsevev.locale import gettext as _

SIGNATURE: Final = "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-signature"
PRESSED: Final = "http://helsevev.no/fhir/pressed"
"""What names the draft that was signed: of two presses one form is made."""
REASON: Final = "http://helsevev.no/fhir/StructureDefinition/correction-reason"
# ISO/ASTM E1762, as R4 Signature.type binds them.
_TYPES: Final = "urn:iso-astm:E1762-95:2013"
AUTHORS: Final = "1.2.840.10065.1.12.1.1"
MODIFICATION: Final = "1.2.840.10065.1.12.1.13"
SHORTEST_REASON: Final = 3
_SIGNED: Final = frozenset({"completed", "amended"})
_STANDING: Final = frozenset({"final", "amended", "corrected", "preliminary"})


def signed_response(
    response: Mapping[str, Any],
    *,
    patient_id: str,
    author: Author,
    at: datetime,
    encounter: str | None = None,
    pressed: str = "",
) -> dict[str, Any]:
    """The QuestionnaireResponse as it is kept: completed, signed by its author at `at` (aware).

    `encounter` is "Encounter/<id>" of the contact that it belongs to, `pressed` the draft's key.
    http://hl7.org/fhir/R4/questionnaireresponse.html
    """
    made: dict[str, Any] = {
        **{key: value for key, value in response.items() if key != "item"},
        "status": "completed",
        "subject": {"reference": f"Patient/{patient_id}"},
        "authored": _stamp(at),
        "author": _party(author),
        "extension": [_signature(author, at, AUTHORS)],
    }
    if pressed:
        made["identifier"] = {"system": PRESSED, "value": pressed}
    if encounter:
        made["encounter"] = {"reference": encounter}
    return {**made, "item": list(response.get("item", ()))}


def corrected_response(
    before: Mapping[str, Any],
    response: Mapping[str, Any],
    *,
    author: Author,
    at: datetime,
    reason: str,
) -> dict[str, Any]:
    """The next version of a signed form: other answers, why, and who signs them.

    Who signed it first, and when, stands; the version before stays in the record.
    """
    kept = {key: value for key, value in before.items() if key not in ("item", "text")}
    return {
        **kept,
        "status": "amended",
        "extension": [*_without(before, REASON), _reason(reason),
                      _signature(author, at, MODIFICATION)],
        "item": list(response.get("item", ())),
    }  # fmt: skip


def withdrawn_response(
    before: Mapping[str, Any], *, author: Author, at: datetime, reason: str
) -> dict[str, Any]:
    """The form as entered in error: it was about somebody else, or should not have been signed."""
    return {
        **before,
        "status": "entered-in-error",
        "extension": [*_without(before, REASON), _reason(reason),
                      _signature(author, at, MODIFICATION)],
    }  # fmt: skip


def pressed_of(response: Mapping[str, Any]) -> str:
    """The key of the draft that was signed, "" where there was none."""
    named = mapping(response.get("identifier"))
    return text(named.get("value")) if named.get("system") == PRESSED else ""


def reason_of(response: Mapping[str, Any]) -> str:
    """Why it was corrected last; "" when it was not."""
    return next(
        (text(e.get("valueString")) for e in objects(response.get("extension"))
         if e.get("url") == REASON), "",
    )  # fmt: skip


def signatures_of(response: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(name, time, "Type/id") of everybody who signed it, in order."""
    found = []
    for each in objects(response.get("extension")):
        if each.get("url") == SIGNATURE:
            said = mapping(each.get("valueSignature"))
            who = mapping(said.get("who"))
            found.append((text(who.get("display")), text(said.get("when")), reference_key(who)))
    if not found and (response.get("author") or response.get("authored")):
        who = mapping(response.get("author"))
        found.append((text(who.get("display")), text(response.get("authored")),
                      reference_key(who)))  # fmt: skip
    return found


def bundle_of(
    response: Mapping[str, Any],
    url: str,
    extracted: Iterable[tuple[str, Mapping[str, Any]]],
    more: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The transaction: the answers under `url`, what they say besides, and further entries."""
    made = [created(each, place) for place, each in extracted]
    return transaction([created(response, url), *made, *more])


def correcting_bundle(
    response: Mapping[str, Any],
    version: int,
    standing: Sequence[Mapping[str, Any]],
    extracted: Sequence[tuple[str, Mapping[str, Any]]],
) -> dict[str, Any]:
    """The transaction that corrects a form and what follows from it.

    `standing` are the resources that follow from the version before. One about the same thing is
    made right under its id; one that no longer follows is marked as a mistake; new ones are added.
    """
    entries = [replaced(response, version)]
    left = {_about(each): each for each in standing if text(each.get("status")) in _STANDING}
    renamed: dict[str, str] = {}
    kept: list[tuple[str, Mapping[str, Any], Mapping[str, Any] | None]] = []
    for place, made in extracted:
        before = left.pop(_about(made), None)
        if before is None:
            kept.append((place, made, None))
        else:
            renamed[place] = f"{before['resourceType']}/{before['id']}"
            kept.append((place, made, before))
    for place, made, before in kept:
        said = _renamed(made, renamed)
        if before is None:
            entries.append(created(said, place))
            continue
        own = ("id", "meta", "identifier")
        after = {**said, **{key: before[key] for key in own if key in before}}
        if "status" in after:
            after["status"] = "corrected" if made["resourceType"] == "Observation" else "amended"
        entries.append(replaced(after))
    entries += [replaced({**gone, "status": "entered-in-error"}) for gone in left.values()]
    return transaction(entries)


def check(response: Mapping[str, Any]) -> list[Issue]:
    """The rule of a QuestionnaireResponse, whichever door it comes through: it says something."""
    if text(response.get("status")) not in _SIGNED:
        return []
    if not any(_says_something(each) for each in objects(response.get("item"))):
        told = _("The form has no answers.")
        return [error("required", told, "QuestionnaireResponse.item")]
    return []


def _says_something(item: Mapping[str, Any]) -> bool:
    answers = objects(item.get("answer"))
    return (
        any(key.startswith("value") for each in answers for key in each)
        or any(_says_something(each) for each in objects(item.get("item")))
        or any(_says_something(x) for each in answers for x in objects(each.get("item")))
    )


def _about(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """What a resource is about: of two with the same, one is the other made right."""
    concept = mapping(resource.get("code")) or mapping(resource.get("type"))
    first = next(iter(objects(concept.get("coding"))), {})
    return (
        text(resource.get("resourceType")), text(first.get("system")),
        text(first.get("code")) or text(concept.get("text")),
    )  # fmt: skip


def _renamed(resource: Any, names: Mapping[str, str]) -> Any:
    if isinstance(resource, Mapping):
        return {
            key: names.get(value, value) if key == "reference" else _renamed(value, names)
            for key, value in resource.items()
        }
    if isinstance(resource, list):
        return [_renamed(each, names) for each in resource]
    return resource


def _without(resource: Mapping[str, Any], url: str) -> list[Mapping[str, Any]]:
    return [each for each in objects(resource.get("extension")) if each.get("url") != url]


def _reason(words: str) -> dict[str, Any]:
    return {"url": REASON, "valueString": words.strip()}


def _signature(author: Author, at: datetime, kind: str) -> dict[str, Any]:
    return {
        "url": SIGNATURE,
        "valueSignature": {
            "type": [{"system": _TYPES, "code": kind}], "when": _stamp(at), "who": _party(author),
        },
    }  # fmt: skip


def _party(author: Author) -> dict[str, Any]:
    named = {"display": author.name} if author.name else {}
    return {"reference": author.reference, **named}


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
