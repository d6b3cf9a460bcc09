"""What names an entry that is withheld does not tell of it: neither that it is, nor what it is.

A reference to it goes, and with it the section or list entry that it stands in, and the narrative,
which repeats them. What is about nothing but such entries (who signed them, say) goes whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from helsevev.access.address_mask import REDACTED
from helsevev.access.sight import WHOLE, Entry, Sight
from helsevev.fhir import references
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.record.rows import label_hash
from helsevev.record.statements import load
from helsevev.record.store import Store, Stored

Withheld = Mapping[str, bool]
"""References to what is withheld, and whether the reader may know that it is."""

ABOUT: Final = {
    "Provenance": "target", "DocumentManifest": "content", "Binary": "securityContext",
}  # fmt: skip
"""Types that are about what they name here, and tell nothing without it."""

_SQL: Final = load("withholding")
_PLAIN: Final = frozenset(
    {"Patient", "Practitioner", "PractitionerRole", "Organization", "Location", "Device",
     "HealthcareService", "Medication", "RelatedPerson", "Group", "Encounter", "EpisodeOfCare"}
)  # fmt: skip
"""What nearly everything names, and what has no labels of its own or an id that tells nothing."""

# In bytes as the record writes them, each with a beginning that the search can leap to.
_OTHER: Final = "|".join(sorted(_PLAIN)).encode()
_PLACE: Final = rb"(?!(?:" + _OTHER + rb')/)([A-Z][A-Za-z]{2,30})/([A-Za-z0-9\-.]{1,64})["/]'
_NAMED: Final = (re.compile(rb'"reference":"' + _PLACE), re.compile(rb'"url":"' + _PLACE))
_CONTACT: Final = re.compile(
    rb'"reference":"(E(?:ncounter|pisodeOfCare))/([A-Za-z0-9\-.]{1,64})["/]'
)
_WITHHELD_SECTION: Final = {
    "emptyReason": {
        "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/list-empty-reason",
            "code": "withheld",
        }]
    },
}  # fmt: skip
_GONE: Final = object()


def named_among(rows: Iterable[Stored], sights: Mapping[int, Sight]) -> dict[int, set[Entry]]:
    """What some rows name that may be withheld, by the inhabitant with whom it is kept."""
    named: dict[int, set[Entry]] = {}
    for stored in rows:
        sight = sights.get(stored.patient, WHOLE)
        if (sight.labels or sight.entries) and not stored.deleted:
            for place in _named(stored.json):
                named.setdefault(stored.patient, set()).add(place)
    return named


def asked_for(texts: Iterable[str]) -> set[Entry]:
    """The entries among some references that may be labelled or blocked."""
    places = {place for text in texts if (place := references.relative(text)) is not None}
    return {(k, n) for k, n in places if k not in _PLAIN and k in RESOURCE_TYPES}


async def withheld_of(
    store: Store, named: Mapping[int, set[Entry]], sights: Mapping[int, Sight]
) -> dict[int, dict[str, bool]]:
    """Of these entries of some inhabitants: what is withheld, and whether that may be known."""
    if not named:
        return {}
    withheld: dict[int, dict[str, bool]] = {}
    for patient, places in named.items():
        sight = sights[patient]
        for entry in sight.entries & places:
            told = entry in sight.told_entries
            withheld.setdefault(patient, {})["/".join(entry)] = told
    await _by_labels(store, named, sights, withheld)
    return withheld


async def _by_labels(
    store: Store,
    named: Mapping[int, set[Entry]],
    sights: Mapping[int, Sight],
    withheld: dict[int, dict[str, bool]],
) -> None:
    keys = {label_hash(label): label for patient in named for label in sights[patient].labels}
    if not keys:
        return
    if len(named) == 1:
        # A chart names hundreds of its own entries, and few of a record's have a label.
        rows = await store.shown.fetch(_SQL["labelled_of"], *named, list(keys))
    else:
        places = [(patient, *place) for patient, found in named.items() for place in found]
        patients, types, ids = map(list, zip(*places, strict=True))
        rows = await store.shown.fetch(_SQL["labelled"], patients, types, ids, list(keys))
    for patient, kind, name, found in rows:
        sight = sights[patient]
        hidden = {keys[label] for label in found} & sight.labels
        if hidden and (kind, name) in named[patient]:
            known = withheld.setdefault(patient, {})
            known.setdefault(f"{kind}/{name}", hidden <= sight.told)


def _named(json: bytes) -> Iterator[Entry]:
    for pattern in _NAMED:
        for kind, name in pattern.findall(json):
            if (text := kind.decode()) not in _PLAIN and text in RESOURCE_TYPES:
                yield text, name.decode()
    # A bare reference to a contact is an id that tells nothing; what it is called does.
    for match in _CONTACT.finditer(json) if b'"display"' in json else ():
        start, end = json.rfind(b"{", 0, match.start()), json.find(b"}", match.end())
        if b'"display"' in json[start:end]:
            yield match[1].decode(), match[2].decode()


def without(resource: dict[str, Any], withheld: Withheld) -> dict[str, Any] | None:
    """The resource without what is withheld: itself when it names none, None when it goes whole."""
    cut = _Cut(withheld)
    about = ABOUT.get(resource["resourceType"])
    if about is not None and cut.takes_all(resource.get(about)):
        return None
    left = cut.of(resource)
    if not cut.took:
        return resource
    assert isinstance(left, dict)
    left.pop("text", None)
    if cut.told:
        meta = left.setdefault("meta", {})
        meta["security"] = [*meta.get("security", ()), REDACTED]
    return left


class _Cut:
    """One way through a resource; `took` when something went, `told` when that may be known."""

    def __init__(self, withheld: Withheld) -> None:
        self._withheld = withheld
        self.took = False
        self.told = False

    def takes_all(self, value: Any) -> bool:
        """Whether references name something withheld, and besides it only the inhabitant."""
        every = value if isinstance(value, list) else [value]
        texts = [str(each.get("reference", "")) for each in every if isinstance(each, dict)]
        left = [text for text in texts if self._names(text) is None]
        return len(left) < len(texts) and all(text.startswith("Patient/") for text in left)

    def of(self, value: Any) -> Any:
        """A value without what is withheld; `_GONE` when nothing is left of it."""
        if isinstance(value, list | tuple):
            found = [self.of(each) for each in value]
            left = [each for each in found if each is not _GONE]
            return left if left or not found else _GONE
        if not isinstance(value, dict):
            return value
        if self._goes(value.get("reference")) or self._goes(value.get("url")):
            return _GONE
        kept_parts: dict[str, Any] = {}
        for name, inner in value.items():
            kept = self._part(name, inner)
            if kept is not _GONE:
                kept_parts[name] = kept
        return kept_parts if kept_parts or not value else _GONE

    def _part(self, name: str, inner: Any) -> Any:
        if name not in ("section", "entry") or not isinstance(inner, list):
            return self.of(inner)
        found = [self._piece(each) for each in inner]
        left = [each for each in found if each is not _GONE]
        return left if left or not found else _GONE

    def _piece(self, piece: Any) -> Any:
        """A section of a document or an entry of a list, which goes with what it names."""
        if not isinstance(piece, dict) or "resource" in piece:
            return self.of(piece)
        entries = piece.get("entry", ())
        named = [piece.get("item"), piece.get("focus"), *entries, piece]
        texts = [each.get("reference") for each in named if isinstance(each, dict)]
        told = [self._names(text) for text in texts if isinstance(text, str)]
        hits = [each for each in told if each is not None]
        if not hits:
            return self.of(piece)
        self._note(all(hits))
        if all(hits) and "item" not in piece and "reference" not in piece:
            return dict(_WITHHELD_SECTION)
        return _GONE

    def _goes(self, text: Any) -> bool:
        told = self._names(text) if isinstance(text, str) else None
        if told is not None:
            self._note(told)
        return told is not None

    def _note(self, told: bool) -> None:
        self.took = True
        self.told = self.told or told

    def _names(self, text: str) -> bool | None:
        """Whether what a reference names is withheld, and then whether that is told."""
        place = references.relative(text)
        return None if place is None else self._withheld.get("/".join(place))


__all__ = ["ABOUT", "Withheld", "asked_for", "named_among", "withheld_of", "without"]
