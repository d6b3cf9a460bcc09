"""Two registrations of one person made one, and two again: pure work on their resources.

Follows Patient/$merge (http://hl7.org/fhir/R5/patient-operation-merge.html). What was moved from
where is told by a Provenance, so that the record itself says how to undo it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from helsevev.fhir import references

LIFECYCLE: Final = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
Place = tuple[str, str]
"""Type and id."""


def replaced(source: dict[str, Any], target_id: str) -> dict[str, Any]:
    """The source's Patient once the target has replaced it."""
    link = {"other": {"reference": f"Patient/{target_id}"}, "type": "replaced-by"}
    return {**source, "active": False, "link": [*source.get("link", ()), link]}


def replacing(target: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    """The target's Patient once it has replaced the source: its identifiers are known as old."""
    link = {"other": {"reference": f"Patient/{source['id']}"}, "type": "replaces"}
    known = {_identity(identifier) for identifier in target.get("identifier", ())}
    added = [
        {**identifier, "use": "old"}
        for identifier in source.get("identifier", ())
        if _identity(identifier) not in known
    ]
    merged = {**target, "link": [*target.get("link", ()), link]}
    if added:
        merged["identifier"] = [*target.get("identifier", ()), *added]
    return merged


def parted(
    target: dict[str, Any], before: dict[str, Any], source: dict[str, Any]
) -> dict[str, Any]:
    """The target's Patient without what the merge added; what was written since stays."""
    had = {_identity(identifier) for identifier in before.get("identifier", ())}
    added = {_identity(i) for i in source.get("identifier", ())} - had
    kept = [
        identifier
        for identifier in target.get("identifier", ())
        if not (identifier.get("use") == "old" and _identity(identifier) in added)
    ]
    return _with(target, identifier=kept, link=_links_without(target, f"Patient/{source['id']}"))


def restored(source: dict[str, Any], before: dict[str, Any], target_id: str) -> dict[str, Any]:
    """The source's Patient as one of its own again; what was written since stays."""
    links = _links_without(source, f"Patient/{target_id}")
    whole = _with(source, link=links)
    whole.pop("active", None)
    return {**whole, "active": before["active"]} if "active" in before else whole


def replaced_by(patient: dict[str, Any]) -> str | None:
    """The id of the Patient that replaced this one, or None."""
    for link in patient.get("link", ()):
        if link.get("type") == "replaced-by":
            target = references.relative(link.get("other", {}).get("reference", ""))
            return target[1] if target else None
    return None


def redirect(resource: dict[str, Any], places: Mapping[Place, Place]) -> dict[str, Any]:
    """Let references to what has moved lead there, in place; versions they named are left out."""
    for _, reference in references.walk(resource):
        target = references.relative(reference.get("reference", ""))
        if target is not None and target in places:
            reference["reference"] = "/".join(places[target])
    return resource


def names_any(resource: dict[str, Any], places: Iterable[Place]) -> bool:
    """Whether it refers to any of these."""
    wanted = set(places)
    return any(
        references.relative(reference.get("reference", "")) in wanted
        for _, reference in references.walk(resource)
    )


def note(
    patients: tuple[str, str],
    moved: Sequence[tuple[str, str]],
    followed: Sequence[str],
    who: dict[str, Any],
    at: str,
) -> dict[str, Any]:
    """The Provenance of a merge.

    `patients` are the versioned references of target and source as they were before; `moved`
    are pairs of what came (a reference) and what it was (a versioned one). `followed` are the
    versioned references of what is kept elsewhere and refers to what moved, as it was before.
    """
    target = references.unversioned(patients[0])
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target}, *({"reference": new} for new, _ in moved)],
        "recorded": at,
        "activity": {"coding": [{"system": LIFECYCLE, "code": "merge"}]},
        "agent": [{"who": who}],
        "entity": [
            {"role": "revision", "what": {"reference": patients[0]}},
            {"role": "source", "what": {"reference": patients[1]}},
            *({"role": "source", "what": {"reference": old}} for _, old in moved),
            *({"role": "revision", "what": {"reference": old}} for old in followed),
        ],
    }


@dataclass(frozen=True, slots=True)
class Note:
    """What the Provenance of a merge tells; each as `note` was given it."""

    patients: tuple[str, str]
    moved: list[tuple[str, str]]
    followed: list[str]


def read_note(provenance: dict[str, Any], source_id: str) -> Note | None:
    """What the Provenance of a merge of this source tells; None for any other."""
    coding = provenance.get("activity", {}).get("coding", [{}])[0]
    what = [entity["what"].get("reference", "") for entity in provenance.get("entity", ())]
    came = [target.get("reference", "") for target in provenance.get("target", ())]
    if (coding.get("system"), coding.get("code")) != (LIFECYCLE, "merge") or len(what) < 2:
        return None
    if references.unversioned(what[1]) != f"Patient/{source_id}" or len(what) <= len(came):
        return None
    moved = zip(came[1:], what[2:], strict=False)
    return Note((what[0], what[1]), list(moved), what[len(came) + 1 :])


def led_back(
    resource: dict[str, Any], before: dict[str, Any], back: Mapping[Place, Place]
) -> dict[str, Any]:
    """A resource kept elsewhere whose references lead back, where they led there before."""
    had = {path: references.relative(each.get("reference", ""))
           for path, each in references.walk(before)}  # fmt: skip
    for path, reference in references.walk(resource):
        target = references.relative(reference.get("reference", ""))
        if target is not None and target in back and had.get(path) == back[target]:
            reference["reference"] = "/".join(back[target])
    return resource


def _identity(identifier: dict[str, Any]) -> tuple[Any, Any]:
    return identifier.get("system"), identifier.get("value")


def _links_without(patient: dict[str, Any], other: str) -> list[dict[str, Any]]:
    links = patient.get("link", ())
    return [link for link in links if link.get("other", {}).get("reference") != other]


def _with(patient: dict[str, Any], **lists: list[Any]) -> dict[str, Any]:
    changed = {**patient, **lists}
    return {name: value for name, value in changed.items() if value != []}
