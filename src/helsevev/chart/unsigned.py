"""What the reader began and has not signed about this person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

from msgspec import Struct

from helsevev.access.draft import Draft
from helsevev.locale import gettext as _


class Unsigned(Struct, frozen=True):
    """One draft: what it is, how it begins, when it was saved, and where to go on with it."""

    title: str
    beginning: str
    saved_at: datetime
    href: str


def unsigned(drafts: Iterable[Draft], base: str) -> list[Unsigned]:
    """The drafts that have a page to go on with: notes, corrections, forms, hand-overs."""
    shown = []
    for draft in drafts:
        text = str(draft.content.get("text", "")).strip()
        if draft.kind == "note":
            href, title = f"{base}/notes/new?draft={quote(draft.key)}", _("Note")
        elif draft.kind == "correction":
            href, title = f"{base}/notes/{quote(draft.key)}/correct", _("Correction of a note")
        elif draft.kind == "form":
            text, name = str(draft.content.get("title", "")), str(draft.content.get("form", ""))
            href, title = f"{base}/forms/{quote(name)}?draft={quote(draft.key)}", _("Form")
            if corrected := draft.content.get("corrects"):
                href = f"{base}/answers/{quote(str(corrected))}/correct"
        elif draft.kind == "hand-over":
            text = str(draft.content.get("assessment") or draft.content.get("recommendation", ""))
            href, title = f"/hand-over/{quote(draft.key)}", _("Hand-over")
        else:
            continue
        beginning = text if len(text) <= 80 else text[:79].rstrip() + "…"
        shown.append(Unsigned(title, beginning, draft.updated_at, href))
    return shown
