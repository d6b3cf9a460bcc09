"""The entries of a Bundle that patch: read before the look-up, applied to what it finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from helsevev.access.errors import Unprocessable
from helsevev.access.writing import check_version
from helsevev.fhir import patch as patches
from helsevev.fhir.bundle import BundleError, Entry
from helsevev.fhir.outcome import Issue
from helsevev.fhir.patch import Patch
from helsevev.fhir.patching import MalformedPatch, PatchFailed
from helsevev.record.store import Stored


def read_patches(entries: Iterable[Entry]) -> dict[int, Patch]:
    """The patch of each entry that patches, by its index. `BundleError` names each faulty one."""
    found: dict[int, Patch] = {}
    issues: list[Issue] = []
    for entry in entries:
        if entry.method == "PATCH" and entry.resource is not None:
            try:
                found[entry.index] = patches.of_resource(entry.resource)
            except MalformedPatch as failure:
                issues += _placed(entry, failure.issues)
    if issues:
        raise BundleError(issues)
    return found


def references_in(entries: Iterable[Entry], found: Mapping[int, Patch]) -> dict[str, str]:
    """Every conditional reference that a patch brings in, and the place of the patch."""
    return {
        text: f"{entry.path}.resource"
        for entry in entries
        if entry.index in found
        for text in found[entry.index].conditional_references
    }


def carry_out(entry: Entry, patch: Patch, current: Stored, if_match: int | None) -> None:
    """Put what the patch makes of `current` in the entry's place.

    Raises `Unprocessable` naming the operation, or what `check_version` raises.
    """
    check_version(current, current.patient, if_match)
    try:
        entry.become(patch.apply(current.resource))
    except PatchFailed as failure:
        raise Unprocessable(list(_placed(entry, failure.issues))) from None


def _placed(entry: Entry, issues: Sequence[Issue]) -> Iterator[Issue]:
    for issue in issues:
        below = "".join(issue.expression.partition(".")[1:])
        where = f"{entry.path}.resource{below}"
        yield Issue(issue.severity, issue.code, issue.diagnostics, where)
