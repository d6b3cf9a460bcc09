"""A transaction worked out before anything is written: ids, links, versions, rows.

Nothing here waits for the record. The caller asks the plan what it needs to know (`conditions`,
`ids`), looks all of it up at once, and hands it back as `Known`; a bundle of thousands of entries
then becomes rows without another question. HTTP and the importer share it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from helsevev.access.bundle_patches import carry_out, read_patches, references_in
from helsevev.access.conditional import another_id, too_many
from helsevev.access.errors import AccessError, Invalid, PreconditionFailed
from helsevev.access.writing import build_row, check_version, says_the_same, version_seen
from helsevev.fhir import bundle as links
from helsevev.fhir.bundle import BundleError, Entry
from helsevev.fhir.compartment import is_clinical
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.validation import validate
from helsevev.record import keys, rows
from helsevev.record.rows import Row
from helsevev.record.store import Stored

MOST_ENTRIES: Final = 20_000
Act = Literal["create", "update", "delete", "keep", "nothing", "read"]
Place = tuple[str, str]
"""A resource's type and id."""

Check = Callable[[dict[str, Any]], None]
"""Raises `Invalid` with every issue of a resource."""

_ABOUT: Final = ("subject", "patient", "beneficiary", "individual", "for")
_URN: Final = ("urn:uuid:", "urn:oid:")


@dataclass(slots=True)
class Known:
    """What the record says: per condition (`Type?query`) what fits, per place what is newest.

    A deletion is newest too: a `Stored` with `deleted`.
    """

    matches: Mapping[str, Sequence[Stored]] = field(default_factory=dict)
    newest: Mapping[Place, Stored] = field(default_factory=dict)


@dataclass(slots=True)
class Step:
    """What becomes of one entry: the act, on which id, after which version."""

    entry: Entry
    act: Act = "nothing"
    id: str = ""
    patient: int = keys.REFERENCE
    current: Stored | None = None
    row: Row | None = None

    @property
    def place(self) -> Place:
        """The type and id written, deleted or kept."""
        return self.entry.resource_type, self.id

    @property
    def writes(self) -> bool:
        """Whether something in the record changes."""
        return self.act in ("create", "update", "delete")

    @property
    def resource(self) -> dict[str, Any]:
        """The entry's resource. Only creates and updates have one."""
        assert self.entry.resource is not None
        return self.entry.resource


class BundlePlan:
    """The entries of one transaction Bundle, in the order in which they are carried out.

    `keep_ids` lets creates keep the ids they came with (or those of their `urn:uuid:`), so that
    the same Bundle given twice is the same resources. `overwrite` lets updates follow whatever
    version is newest. The Bundle's resources are changed in place. Raises `BundleError`.
    """

    def __init__(
        self, bundle: dict[str, Any], *, keep_ids: bool = False, overwrite: bool = False
    ) -> None:
        check_shape(bundle)
        self.entries = links.processing_order(links.read_entries(bundle))
        calls = [entry for entry in self.entries if entry.calls_operation]
        if calls:
            text = "Operations with a body have no place in a transaction; a batch takes them."
            raise BundleError(
                [error("not-supported", text, f"{e.path}.request.url") for e in calls]
            )
        self.steps = [Step(entry) for entry in self.entries]
        self._patches = read_patches(self.entries)
        self.references = links.conditional_references(self.entries)
        self.references |= references_in(self.entries, self._patches)
        self._overwrite = overwrite
        for step in self.steps:
            step.id = self._given_id(step.entry, keep_ids)

    @property
    def conditions(self) -> list[str]:
        """Every condition and conditional reference, as `Type?query`, each once."""
        found = dict.fromkeys(self.references)
        for entry in self.entries:
            if (condition := _condition(entry)) is not None:
                found[condition] = None
        return list(found)

    @property
    def ids(self) -> list[Place]:
        """Every (type, id) that an entry names to write or delete."""
        return [s.place for s in self.steps if s.id and s.entry.method not in ("GET", "HEAD")]

    def resolve(self, known: Known) -> None:
        """Settle every entry's id and act, and rewrite all links.

        Raises `BundleError` naming what cannot be resolved, and resources written twice.
        """
        issues: list[Issue] = []
        # What this very Bundle takes out no longer fits a condition, and what it creates does.
        leaving = {s.place for s in self.steps if s.entry.method == "DELETE" and s.id}
        joining: dict[str, Step] = {}
        for step in self.steps:
            issues += self._settle(step, known, leaving, joining)
        issues += _written_twice(self.steps)
        self._name_patients_and_reference_data()
        self._name_clinical(known)
        assigned = {s.entry.index: "/".join(s.place) for s in self.steps if s.id}
        issues += links.link(self.entries, assigned, self._found(known, leaving, joining))
        if issues:
            raise BundleError(issues)

    def patched(self, known: Known) -> list[Stored]:
        """What patches are for, to be decided about before `resolve`, whose outcome tells of it."""
        found: list[Stored] = []
        for step in self.steps:
            if step.entry.index in self._patches:
                condition = _condition(step.entry)
                if condition is not None:
                    found += known.matches.get(condition, ())
                elif step.place in known.newest:
                    found.append(known.newest[step.place])
        return found

    def check(self, check: Check) -> Iterator[list[Issue]]:
        """The issues of each resource to be written, with their place in the Bundle.

        A generator, so that the caller may let others work between entries.
        """
        for step in self.steps:
            if step.act in ("create", "update"):
                try:
                    check(step.resource)
                except Invalid as invalid:
                    yield list(placed(step, invalid.issues))
                else:
                    step.patient = rows.locality(step.resource)
                    yield []

    def follow_versions(self) -> None:
        """Find what changes nothing, and that every other update follows the newest version.

        Raises `PreconditionFailed` or `Unprocessable`, naming the entry. To be called after the
        decision, since an answer tells what is in the record.
        """
        for step in self.steps:
            current, asked = step.current, _if_match(step.entry)
            seen_another = asked is not None and current is not None and asked != current.version
            if step.act == "update" and current is not None and step.entry.method != "PATCH":
                asked = version_seen(current, step.resource, asked)
            if step.act == "delete" and current is not None and seen_another:
                text = f"{current.reference} is at version {current.version}."
                raise _at(step, PreconditionFailed(text, current))
            if step.act != "update" or current is None:
                continue
            if says_the_same(current, step.resource):
                step.act = "keep"
                continue
            try:
                newest = current.version if self._overwrite else asked
                check_version(current, step.patient, newest)
            except AccessError as failure:
                raise _at(step, failure) from None

    def build(self, at: datetime) -> Iterator[Row]:
        """The rows of every create and update. A generator, for the same reason as `check`."""
        for step in self.steps:
            if step.act in ("create", "update"):
                version = step.current.version + 1 if step.current else 1
                step.row = build_row(step.resource, version, at, step.patient)
                yield step.row

    def _given_id(self, entry: Entry, keep_ids: bool) -> str:
        if entry.resource_id is not None:
            return entry.resource_id
        if entry.method != "POST" or not keep_ids or entry.resource is None:
            return ""
        full_url = entry.full_url or ""
        named = entry.resource.get("id") or full_url.partition("urn:uuid:")[2]
        return named if isinstance(named, str) else ""

    def _settle(
        self, step: Step, known: Known, leaving: set[Place], joining: dict[str, Step]
    ) -> Iterator[Issue]:
        entry = step.entry
        if entry.method in ("GET", "HEAD"):
            step.act, step.id = "read", ""
            return
        if (condition := _condition(entry)) is not None:
            found = list(known.matches.get(condition, ()))
            if entry.method == "POST":
                found = _remaining(found, leaving)
            place = f"{entry.path}.request"
            if len(found) > 1:
                resource_type, _, query = condition.partition("?")
                yield too_many(resource_type, query, place)
                return
            earlier = joining.get(condition)
            if entry.method == "POST" and (found or earlier):
                step.act, step.current = "keep", found[0] if found else None
                step.id = found[0].id if found else earlier.id if earlier else ""
                return
            if found:
                named = (entry.resource or {}).get("id", found[0].id)
                if named != found[0].id:
                    yield another_id(found[0], named, f"{entry.path}.resource.id")
                step.id, step.current = found[0].id, found[0]
            elif entry.method == "PUT":
                step.id = str((entry.resource or {}).get("id", ""))
            elif entry.method == "POST":
                joining[condition] = step
                self._name_early(step)
        elif step.id:
            step.current = known.newest.get(step.place)
        if entry.method == "PATCH":
            yield from self._patch(step)
            return
        step.act = self._act(step)

    def _patch(self, step: Step) -> Iterator[Issue]:
        current = step.current
        if current is None or current.deleted:
            yield error("not-found", "There is nothing to patch.", f"{step.entry.path}.request.url")
            return
        step.act, step.id = "update", current.id
        seen = current.version if self._overwrite else _if_match(step.entry)
        try:
            carry_out(step.entry, self._patches[step.entry.index], current, seen)
        except PreconditionFailed as failure:
            raise _at(step, failure) from None

    def _act(self, step: Step) -> Act:
        if step.entry.method == "DELETE":
            step.patient = step.current.patient if step.current else keys.REFERENCE
            return "delete" if step.current and not step.current.deleted else "nothing"
        return "update" if step.current else "create"

    def _name_early(self, step: Step) -> None:
        # Others may refer to it by its condition before ids that hold an inhabitant can be made.
        if not step.id and not _needs_inhabitant(step):
            step.id = keys.new_id(step.entry.resource_type, keys.REFERENCE)

    def _name_patients_and_reference_data(self) -> None:
        for step in self.steps:
            if step.act in ("create", "update") and not step.id and not _needs_inhabitant(step):
                step.id = keys.new_id(step.entry.resource_type, keys.REFERENCE)

    def _name_clinical(self, known: Known) -> None:
        """Give ids to clinical creates: they hold the inhabitant's key, so that comes first."""
        patients = {
            step.entry.full_url: f"Patient/{step.id}"
            for step in self.steps
            if step.entry.resource_type == "Patient" and step.entry.full_url and step.id
        }
        for text in self.references:
            found = known.matches.get(text, ())
            if text.startswith("Patient?") and len(found) == 1:
                patients[text] = found[0].reference
        unnamed = [s for s in self.steps if s.act == "create" and not s.id]
        hidden = [s for s in unnamed if not _link_subject(s.resource, patients)]
        if hidden and patients:
            told = [s for s in self.steps if s.entry.full_url in patients]
            assigned = {s.entry.index: f"Patient/{s.id}" for s in told}
            # Everything else dangles until the clinical ids are made; the next linking tells.
            links.link([s.entry for s in (*told, *hidden)], assigned, patients, partly=True)
        for step in unnamed:
            step.id = keys.new_id(step.entry.resource_type, rows.locality(step.resource))
        for step in self.steps:
            if step.act in ("create", "update"):
                step.resource["id"] = step.id

    def _found(
        self, known: Known, leaving: set[Place], joining: Mapping[str, Step]
    ) -> dict[str, str]:
        found: dict[str, str] = {}
        for text in self.references:
            matches = _remaining(known.matches.get(text, ()), leaving)
            if len(matches) == 1:
                found[text] = matches[0].reference
            elif not matches and text in joining:
                found[text] = "/".join(joining[text].place)
        return found


def check_shape(bundle: dict[str, Any]) -> None:
    """Check the Bundle itself, without what its entries hold. Raises `BundleError`."""
    given = bundle.get("entry", [])
    if type(given) is list and len(given) > MOST_ENTRIES:
        text = f"A Bundle holds {MOST_ENTRIES} entries at most, this one {len(given)}."
        raise BundleError([error("too-long", text, "Bundle.entry")])
    frame = bundle
    if type(given) is list:
        hollow = [
            {k: v for k, v in item.items() if k != "resource"} if type(item) is dict else item
            for item in given
        ]
        frame = {**bundle, "entry": hollow} if hollow else bundle
    if issues := validate(frame):
        raise BundleError(issues)


def placed(step: Step, issues: Iterable[Issue]) -> Iterator[Issue]:
    """Issues about an entry's resource, with their place in the Bundle."""
    kind = step.entry.resource_type
    for issue in issues:
        below = issue.expression.removeprefix(kind)
        where = f"{step.entry.path}.resource{below}"
        yield Issue(issue.severity, issue.code, issue.diagnostics, where)


def _at(step: Step, failure: AccessError) -> AccessError:
    failure.issues = tuple(placed(step, failure.issues))
    return failure


def _condition(entry: Entry) -> str | None:
    if entry.method == "POST" and entry.if_none_exist:
        return f"{entry.resource_type}?{entry.if_none_exist}"
    if entry.method in ("PUT", "PATCH", "DELETE") and entry.resource_id is None:
        return f"{entry.resource_type}?{entry.query}"
    return None


def _if_match(entry: Entry) -> int | None:
    text = entry.if_match
    if text is None:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _remaining(found: Sequence[Stored], leaving: set[Place]) -> list[Stored]:
    return [stored for stored in found if (stored.type, stored.id) not in leaving]


def _needs_inhabitant(step: Step) -> bool:
    kind = step.entry.resource_type
    return kind != "Patient" and is_clinical(kind)


def _link_subject(resource: dict[str, Any], patients: Mapping[str, str]) -> bool:
    """Point the element that says whom it is about at the Patient; False when it must be sought."""
    for name in _ABOUT:
        reference = resource.get(name)
        if isinstance(reference, dict):
            text = reference.get("reference")
            if isinstance(text, str):
                reference["reference"] = patients.get(text, text)
                return not reference["reference"].startswith(_URN)
    return False


def _written_twice(steps: Iterable[Step]) -> Iterator[Issue]:
    seen: set[Place | str] = set()
    for step in steps:
        # What a conditional update will create has no place yet, but its condition names it.
        place = step.place if step.id else _condition(step.entry)
        if not step.writes or place is None:
            continue
        if place in seen:
            text = f"Another entry writes {place if type(place) is str else '/'.join(place)} too."
            yield error("duplicate", text, f"{step.entry.path}.request.url")
        seen.add(place)
