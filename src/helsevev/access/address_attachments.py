"""Attached files of somebody whose address is hidden: texts get gaps, what cannot be read is kept.

A scanned letter has its address in a picture, and a PDF has it in fonts of its own: neither can be
searched with certainty, so that both stay here. Pictures of the body, kept as Media, are shown.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

from helsevev.access.address_words import Secrets

_TEXT: Final = re.compile(
    r"text/|application/(?:[\w.+-]*(?:json|xml|hl7|rtf)|xhtml)|.*\+(?:xml|json)"
)
_SEEN: Final = re.compile(r"(?:image|audio|video)/")
_CONTENT: Final = ("data", "hash", "size", "url")


def is_attachment(value: dict[str, Any], kind: str | None) -> bool:
    """Whether an object is an Attachment with content, or a Binary (`kind` is its type)."""
    return isinstance(value.get("data"), str) and (
        kind == "Binary" or (kind is None and "contentType" in value)
    )


def without(attached: dict[str, Any], secrets: Secrets, owner: str) -> dict[str, Any] | None:
    """The content and what describes it; None when it cannot be handed over.

    `owner` is the type of the resource that it stands in.
    """
    content_type = str(attached.get("contentType", "")).lower()
    if owner == "Media" and _SEEN.match(content_type):
        return attached
    try:
        raw = base64.b64decode(attached["data"])
    except (binascii.Error, ValueError):
        return None
    text, encoding = _read(raw, content_type)
    if text is None:
        return None
    left = secrets.out_of(text)
    if left == text:
        return attached
    kept = {name: value for name, value in attached.items() if name not in ("hash", "size")}
    return kept | {"data": base64.b64encode(left.encode(encoding, "replace")).decode()}


def hollow(attached: dict[str, Any], absent: dict[str, Any]) -> dict[str, Any]:
    """What is left of one that cannot be handed over: its title and type, and that it is masked."""
    left = {name: value for name, value in attached.items() if name not in _CONTENT}
    return left | {"_data": {"extension": [absent]}}


def _read(raw: bytes, content_type: str) -> tuple[str | None, str]:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", "replace"), "utf-16"
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        if not _TEXT.match(content_type):
            return None, ""
        return raw.decode("latin-1"), "latin-1"
    # What says that it is no text, is none: a PDF may well be ASCII from end to end.
    is_text = not content_type or _TEXT.match(content_type) is not None
    return (text, "utf-8") if is_text and not raw.startswith(b"%PDF") else (None, "")


__all__ = ["hollow", "is_attachment", "without"]
