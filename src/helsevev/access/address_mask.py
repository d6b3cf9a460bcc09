"""Takes a protected address out of a resource: its elements, and the text wherever it is repeated.

What is left says that it is masked, by HL7's data-absent-reason, and keeps the grade of protection,
so that screens and apps can say that there is an address they do not show.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from helsevev.access import address_attachments
from helsevev.access.address_words import NOTHING, Secrets, gap, secrets_of
from helsevev.fhir import serialization
from helsevev.record.labels import PERSONS

ABSENT: Final = {
    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "valueCode": "masked",
}
REDACTED: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "REDACTED",
}
_TELLS: Final = ("address", "telecom", "position", "text")
"""Elements of a person or a place that tell how to get there; the narrative repeats them."""

_OF_PLACE: Final = ("name", "alias", "description")
_WHERE: Final = ("geolocation", "municipality", "urban-district", "propertyinformation")
"""Extensions that tell where, by what their URLs hold, wherever they stand."""

_KEPT: Final = frozenset({"resourceType", "id", "versionId", "lastUpdated"})
_SIGNS: Final = frozenset(
    {"reference", "url", "fullUrl", "system", "code", "profile", "source", "valueUri", "valueUrl",
     "valueCanonical", "valueCode", "instantiatesUri", "instantiatesCanonical", "linkId"}
)  # fmt: skip
"""Elements that hold no text: what tells is taken away with its element."""

_NAMES: Final = frozenset({"family", "given", "prefix", "suffix"})
_OF_PERSON: Final = ("Practitioner/", "Patient/", "RelatedPerson/", "Person/")
_GONE: Final = object()


def masked(
    resource: dict[str, Any],
    secrets: Secrets = NOTHING,
    away: Collection[str] = (),
    *,
    texts_alone: bool = False,
    files: bool = True,
) -> bytes | None:
    """The resource's JSON without the address; None when it has none to take out.

    `away` are references to places and services that tell where somebody lives. `texts_alone`
    keeps addresses as such, for it is another's that is hidden; `files` takes away attached files
    that cannot be searched.
    """
    before = serialization.encode(resource)
    mask = _Mask(secrets, away, resource["resourceType"], texts_alone=texts_alone, files=files)
    left = mask.of(resource, of_person=False)
    if serialization.encode(left) == before:
        return None
    meta = left.setdefault("meta", {})
    meta["security"] = [*meta.get("security", ()), REDACTED]
    return serialization.encode(left)


class _Mask:
    """One resource's way through the mask."""

    def __init__(
        self, secrets: Secrets, away: Collection[str], owner: str, *, texts_alone: bool, files: bool
    ) -> None:
        self._secrets = secrets
        self._texts_alone = texts_alone
        self._files = files
        self._away = away
        self._owner = owner

    def of(self, value: dict[str, Any], *, of_person: bool) -> dict[str, Any]:
        """An object without what tells."""
        kind = value.get("resourceType")
        if kind is not None:
            of_person = kind in PERSONS and not self._texts_alone
        if address_attachments.is_attachment(value, kind):
            found = address_attachments.without(value, self._secrets, self._owner)
            if found is None and self._files:
                found = address_attachments.hollow(value, ABSENT)
            value = value if found is None else found
        left: dict[str, Any] = {}
        for name, inner in value.items():
            if kind == "Location" and name in _OF_PLACE and not self._texts_alone:
                continue
            if (kept := self._element(name, inner, value, of_person)) is not _GONE:
                left[name] = kept
        if left.get("reference") in self._away:
            return {"extension": [ABSENT]}
        return left

    def _element(self, name: str, inner: Any, within: dict[str, Any], of_person: bool) -> Any:
        if name == "valueAddress" and not self._texts_alone:
            return {"extension": [ABSENT]}
        if (
            name == "generalPractitioner"
            and self._secrets.places is not None
            and not self._texts_alone
        ):
            return [{"extension": [ABSENT]}]
        if of_person and name == "address":
            return [_absent(each) for each in inner] if isinstance(inner, list) else _absent(inner)
        if of_person and name in _TELLS and (name != "text" or isinstance(inner, dict)):
            # A name has a text too; the narrative is the one with a div.
            return _GONE
        if isinstance(inner, dict):
            return _GONE if self._tells_where(inner) else self.of(inner, of_person=of_person)
        if isinstance(inner, list | tuple):
            found = [self._item(name, each, within, of_person) for each in inner]
            left = [each for each in found if each is not _GONE]
            return left if left or not found else _GONE
        return self._text(name, inner, within) if isinstance(inner, str) else inner

    def _item(self, name: str, item: Any, within: dict[str, Any], of_person: bool) -> Any:
        if isinstance(item, dict):
            return _GONE if self._tells_where(item) else self.of(item, of_person=of_person)
        return self._text(name, item, within) if isinstance(item, str) else item

    def _tells_where(self, value: Mapping[str, Any]) -> bool:
        return not self._texts_alone and _tells_where(value)

    def _text(self, name: str, text: str, within: dict[str, Any]) -> Any:
        if name in _KEPT or (name == "data" and "contentType" in within):
            return text
        if name in _SIGNS:
            return _GONE if self._secrets.within(text) else text
        is_name = name in _NAMES or (
            name == "display" and str(within.get("reference", "")).startswith(_OF_PERSON)
        )
        left = self._secrets.out_of(text, running=not is_name)
        if left == gap() and name == "div" and text != left:
            return f'<div xmlns="http://www.w3.org/1999/xhtml">{left}</div>'
        return left


def _tells_where(value: Mapping[str, Any]) -> bool:
    """Whether an object is an extension with a position or a district."""
    url = value.get("url")
    return isinstance(url, str) and any(word in url.lower() for word in _WHERE)


def _absent(address: Mapping[str, Any]) -> dict[str, Any]:
    graded = [
        extension
        for extension in address.get("extension", ())
        if any(word in str(extension.get("url", "")).lower() for word in ("confidential", "secret"))
    ]
    return {"extension": [ABSENT, *graded]}


__all__ = ["ABSENT", "NOTHING", "REDACTED", "Secrets", "masked", "secrets_of"]
