"""Notes, documents and reports as one list of texts, newest first."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from helsevev.documentation.narrative import Block, from_plain, from_xhtml, to_plain
from helsevev.documentation.note import AWAITS, CORRECTED_WHY, note_title
from helsevev.documentation.tracing import Stretch, Trace, stretches, traces_of
from helsevev.fhir.reading import (
    Moment,
    concept_text,
    concept_texts,
    mapping,
    moment,
    moment_of,
    objects,
    of_patient,
    reference_key,
    reference_text,
    sort_key,
    text,
    texts,
)

_SIGNED: Final = frozenset({"final", "amended", "corrected", "appended", "current"})
_TEXTUAL: Final = ("text/plain", "text/markdown", "text/html", "application/xhtml")


@dataclass(frozen=True, slots=True)
class Signature:
    """Who vouched for it, as what (FHIR's attestation mode), when, and why they changed it."""

    name: str
    mode: str
    at: Moment | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A titled stretch of a document; `traces` say which of its lines came from elsewhere."""

    title: str
    blocks: tuple[Block, ...]
    traces: tuple[Trace, ...] = ()

    @property
    def text(self) -> str:
        """The section as plain text."""
        return to_plain(self.blocks)

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """The text, its lines grouped by where they came from."""
        return stretches(self.text, self.traces)


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that is no text: what it is, not what it holds.

    `source` and `id` are the type and id of the resource that it is read from, "" for none.
    """

    title: str
    media_type: str
    size: int | None
    source: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One Composition, DocumentReference or DiagnosticReport.

    `is_signed` when its sender calls it final; `is_corrected` when a later version replaced the
    first; `is_superseded` when another document has taken its place.
    """

    id: str
    source: str
    title: str
    status: str
    version: str
    at: Moment | None
    authors: tuple[str, ...]
    author_keys: tuple[str, ...]
    organisation: str
    encounter: str
    signatures: tuple[Signature, ...]
    sections: tuple[Section, ...]
    attached: tuple[Attached, ...]
    conclusion: str

    @property
    def is_signed(self) -> bool:
        """True when the sender stands by it."""
        return self.status in _SIGNED

    @property
    def awaits(self) -> bool:
        """True when its author has signed it, and somebody else has to sign it too."""
        return self.source == "Composition" and self.status == AWAITS and bool(self.signatures)

    @property
    def corrected_why(self) -> str:
        """Why it was corrected last, "" when nobody said."""
        return next((each.why for each in reversed(self.signatures) if each.why), "")

    @property
    def is_corrected(self) -> bool:
        """True when the text was changed after it was signed."""
        return self.status in ("amended", "corrected", "appended")

    @property
    def is_superseded(self) -> bool:
        """True when it was replaced by another document."""
        return self.status == "superseded"

    @property
    def titled(self) -> tuple[Section, ...]:
        """The sections with a title of their own."""
        return tuple(s for s in self.sections if s.title and s.title != self.title)

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """What stands in no titled section, its lines grouped by where they came from."""
        own = [s for s in self.sections if not s.title or s.title == self.title]
        return stretches(self.text, [trace for section in own for trace in section.traces])

    @property
    def text(self) -> str:
        """What stands in no titled section, and the conclusion."""
        own = [s.text for s in self.sections if not s.title or s.title == self.title]
        return "\n\n".join(part for part in (*own, self.conclusion) if part)

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to read in it here."""
        return not (self.sections or self.attached or self.conclusion)


def documents(
    compositions: Iterable[Mapping[str, Any]] = (),
    references: Iterable[Mapping[str, Any]] = (),
    reports: Iterable[Mapping[str, Any]] = (),
    names: Mapping[str, str] | None = None,
) -> list[Document]:
    """All of them, newest first. Reports that hold only results (no text) belong to the results.

    The same text sent both as a report and as a document of the same day is one line.
    """
    found = [composition(c, names) for c in of_patient(compositions)]
    seen: set[tuple[str, str]] = set()
    for resource in of_patient(reports):
        shown = report(resource, names)
        if not shown.is_empty:
            seen |= _prints(resource.get("presentedForm"), shown)
            found.append(shown)
    for resource in of_patient(references):
        shown = document_reference(resource, names)
        attachments = [mapping(c.get("attachment")) for c in objects(resource.get("content"))]
        if not (_prints(attachments, shown) & seen):
            found.append(shown)
    found.sort(key=lambda d: sort_key(d.at), reverse=True)
    return found


def composition(resource: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Document:
    """A Composition with its sections, the nested ones after their parent."""
    sections = _sections(resource.get("section"))
    if not sections:
        blocks = from_xhtml(mapping(resource.get("text")).get("div"))
        sections = (Section("", blocks),) if blocks else ()
    custodian = reference_text(resource.get("custodian"), names)
    return _document(
        resource,
        names,
        title=note_title(resource),
        at=moment_of(resource, "date"),
        authors=resource.get("author"),
        organisation=custodian,
        encounter=resource.get("encounter"),
        signatures=tuple(
            Signature(
                reference_text(a.get("party"), names), text(a.get("mode")), moment(a.get("time")),
                _why(a),
            )
            for a in objects(resource.get("attester"))
        ),
        sections=sections,
        attached=_entered(resource.get("section")),
    )  # fmt: skip


def _why(attester: Mapping[str, Any]) -> str:
    extensions = objects(attester.get("extension"))
    return next(
        (text(e.get("valueString")) for e in extensions if e.get("url") == CORRECTED_WHY), ""
    )


def _entered(sections: object) -> tuple[Attached, ...]:
    """The photos and documents that sections point at."""
    found = []
    for section in objects(sections):
        for entry in objects(section.get("entry")):
            kind, _slash, key = reference_key(entry).partition("/")
            if kind in ("Media", "DocumentReference") and key:
                media_type = "image/jpeg" if kind == "Media" else ""
                found.append(Attached(text(entry.get("display")), media_type, None, kind, key))
    return tuple(found)


def document_reference(
    resource: Mapping[str, Any], names: Mapping[str, str] | None = None
) -> Document:
    """A DocumentReference with the texts it carries; other files are named, not opened."""
    attachments = [mapping(c.get("attachment")) for c in objects(resource.get("content"))]
    sections, attached = _attachments(attachments, text(resource.get("id")))
    contexts = objects(mapping(resource.get("context")).get("encounter"))
    return _document(
        resource,
        names,
        title=concept_text(resource.get("type")) or text(resource.get("description")),
        at=moment_of(resource, "date")
        or next((m for a in attachments if (m := moment(a.get("creation")))), None)
        or moment_of(mapping(resource.get("context")), "period"),
        authors=resource.get("author"),
        organisation=reference_text(resource.get("custodian"), names),
        encounter=contexts[0] if contexts else None,
        sections=sections,
        attached=attached,
        status=_document_status(resource),
    )


def report(resource: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Document:
    """A DiagnosticReport's texts: presented forms and the conclusion."""
    sections, attached = _attachments(objects(resource.get("presentedForm")))
    conclusion = text(resource.get("conclusion")) or ", ".join(
        concept_texts(resource.get("conclusionCode"))
    )
    if not sections and not attached and not conclusion and not resource.get("result"):
        blocks = from_xhtml(mapping(resource.get("text")).get("div"))
        sections = (Section("", blocks),) if blocks else ()
    return _document(
        resource,
        names,
        title=concept_text(resource.get("code")),
        at=moment_of(resource, "effectiveDateTime", "effectivePeriod", "issued"),
        authors=objects(resource.get("resultsInterpreter")) or resource.get("performer"),
        organisation="",
        encounter=resource.get("encounter"),
        sections=sections,
        attached=attached,
        conclusion=conclusion,
    )


def _document(
    resource: Mapping[str, Any],
    names: Mapping[str, str] | None,
    *,
    title: str,
    at: Moment | None,
    authors: object,
    organisation: str,
    encounter: object,
    signatures: tuple[Signature, ...] = (),
    sections: tuple[Section, ...] = (),
    attached: tuple[Attached, ...] = (),
    conclusion: str = "",
    status: str | None = None,
) -> Document:
    parties = objects(authors)
    return Document(
        id=text(resource.get("id")),
        source=text(resource.get("resourceType")),
        title=title,
        status=text(resource.get("status")) if status is None else status,
        version=text(mapping(resource.get("meta")).get("versionId")),
        at=at,
        authors=tuple(t for p in parties if (t := reference_text(p, names))),
        author_keys=tuple(key for p in parties if (key := reference_key(p))),
        organisation=organisation,
        encounter=reference_key(encounter),
        signatures=signatures,
        sections=sections,
        attached=attached,
        conclusion=conclusion,
    )


def _document_status(resource: Mapping[str, Any]) -> str:
    """Both statuses of a DocumentReference in one: superseded wins, then how final the text is."""
    status, text_status = text(resource.get("status")), text(resource.get("docStatus"))
    return status if status == "superseded" else text_status or status


def _sections(value: object, depth: int = 0) -> tuple[Section, ...]:
    found: list[Section] = []
    for section in objects(value):
        title = text(section.get("title")) or concept_text(section.get("code"))
        blocks = from_xhtml(mapping(section.get("text")).get("div"))
        if blocks or (title and not section.get("section") and not section.get("entry")):
            found.append(Section(title, blocks, tuple(traces_of(section))))
        if depth < 10:
            found += _sections(section.get("section"), depth + 1)
    return tuple(found)


def _attachments(
    attachments: Iterable[Mapping[str, Any]],
    document: str = "",
) -> tuple[tuple[Section, ...], tuple[Attached, ...]]:
    sections: list[Section] = []
    attached: list[Attached] = []
    for attachment in attachments:
        media_type = text(attachment.get("contentType"))
        title = text(attachment.get("title"))
        plain = attachment_text(attachment)
        if plain is None:
            size = attachment.get("size")
            # One that is kept by itself can be opened; a page shows the first of a document.
            own = document if text(attachment.get("url")).startswith("Binary/") else ""
            kind = "DocumentReference" if own and not attached else ""
            length = size if isinstance(size, int) else None
            attached.append(Attached(title, media_type, length, kind, own if kind else ""))
            continue
        blocks = from_xhtml(plain) if "html" in media_type else from_plain(plain)
        sections += _by_heading(title, blocks)
    return tuple(sections), tuple(attached)


def _by_heading(title: str, blocks: Sequence[Block]) -> list[Section]:
    """The blocks as sections, each beginning at a heading of the text itself."""
    found: list[tuple[str, list[Block]]] = [(title, [])]
    for block in blocks:
        if block.kind == "heading":
            found.append((block.text, []))
        else:
            found[-1][1].append(block)
    return [Section(name, tuple(held)) for name, held in found if held or (name and name != title)]


def attachment_text(attachment: Mapping[str, Any]) -> str | None:
    """The text that an Attachment carries in itself; None when it is no text or elsewhere."""
    media_type, _, parameters = text(attachment.get("contentType")).lower().partition(";")
    data = attachment.get("data")
    if not isinstance(data, str) or not media_type.strip().startswith(_TEXTUAL):
        return None
    try:
        raw = base64.b64decode(data, validate=False)
    except (binascii.Error, ValueError):
        return None
    charset = parameters.partition("charset=")[2].strip(" \"'") or "utf-8"
    try:
        return raw.decode(charset)
    except (LookupError, UnicodeDecodeError):
        # One of the two is what almost every sender uses; the second never fails.
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("latin-1")


def _prints(attachments: object, shown: Document) -> set[tuple[str, str]]:
    """Fingerprints of the carried files with the day: what makes two documents the same text."""
    day = shown.at.day.isoformat() if shown.at else ""
    return {
        (hashlib.sha256(data.encode()).hexdigest(), day)
        for attachment in objects(attachments)
        for data in texts(attachment.get("data"))
    }
