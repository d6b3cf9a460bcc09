"""Photos and files of a note: what is taken in, cleaned of what the camera adds, and kept."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any, Final
from uuid import uuid4

from msgspec import Struct
from PIL import Image, ImageOps, UnidentifiedImageError

from helsevev.access.entries import created
from helsevev.documentation.note import Author
from helsevev.locale import gettext as _

MOST_BYTES: Final = 15_000_000
"""What a phone's photo may weigh before it is made smaller."""
MOST_PDF_BYTES: Final = 10_000_000
MOST_FILES: Final = 12
_MOST_PIXELS: Final = 60_000_000
_LONGEST_SIDE: Final = 2400
_QUALITY: Final = 85
JPEG: Final = "image/jpeg"
PDF: Final = "application/pdf"


class NotTaken(ValueError):
    """The file cannot be kept; the text says why, for people."""


class Taken(Struct, frozen=True):
    """A file as it is kept."""

    media_type: str
    content: bytes


def taken(content: bytes) -> Taken:
    """A photo without place, time and camera in it, no larger than a screen shows; or a PDF.

    What it is, is read of the content, not of its name. Raises NotTaken.
    """
    if not content:
        raise NotTaken(_("The file is empty."))
    if content.startswith(b"%PDF-"):
        if len(content) > MOST_PDF_BYTES:
            raise NotTaken(_("The file is larger than 10 MB."))
        return Taken(PDF, content)
    if len(content) > MOST_BYTES:
        raise NotTaken(_("The picture is larger than 15 MB."))
    try:
        with Image.open(BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise NotTaken(_("The picture has too many points. Take it again, smaller."))
            # Which way up it was held stands in what is taken away.
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
            flat = _without_transparency(upright)
            written = BytesIO()
            # A new picture of the points alone: no metadata is handed on.
            flat.save(written, "JPEG", quality=_QUALITY, optimize=True, exif=b"")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as problem:
        if isinstance(problem, NotTaken):
            raise
        raise NotTaken(_("Only photos (JPEG, PNG, WebP) and PDF files can be attached.")) from None
    return Taken(JPEG, written.getvalue())


def _without_transparency(picture: Image.Image) -> Image.Image:
    if picture.mode in ("RGB", "L"):
        plain = picture
    else:
        whole = picture.convert("RGBA")
        plain = Image.new("RGB", whole.size, "white")
        plain.paste(whole, mask=whole.getchannel("A"))
    # Nothing but the points: `info` holds comments, profiles and thumbnails.
    bare = Image.new(plain.mode, plain.size)
    bare.paste(plain)
    return bare


def entries(
    title: str, file: Taken, *, patient_id: str, author: Author, at: datetime,
    encounter: str | None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:  # fmt: skip
    """The reference a note has to a file, and the entries of the transaction that keep it.

    A photo is a Media (http://hl7.org/fhir/R4/media.html). Of a document the content is a Binary
    of its own, so that lists of documents do not carry it.
    """
    if file.media_type == JPEG:
        return _media(title, file, patient_id, author, at, encounter)
    return _document(title, file, patient_id, author, at, encounter)


def _media(
    title: str, file: Taken, patient_id: str, author: Author, at: datetime, encounter: str | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    url = f"urn:uuid:{uuid4()}"
    data = base64.b64encode(file.content).decode()
    media: dict[str, Any] = {
        "resourceType": "Media",
        "status": "completed",
        "type": {"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/media-type", "code": "image",
        }]},
        "subject": {"reference": f"Patient/{patient_id}"},
        "createdDateTime": at.isoformat(timespec="seconds"),
        "operator": _party(author),
        "content": {**_attachment(title, file, at), "data": data},
    }  # fmt: skip
    if encounter:
        media["encounter"] = {"reference": encounter}
    return {"reference": url, "type": "Media", "display": title}, [created(media, url)]


def _document(
    title: str, file: Taken, patient_id: str, author: Author, at: datetime, encounter: str | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    url, held = f"urn:uuid:{uuid4()}", f"urn:uuid:{uuid4()}"
    person = {"reference": f"Patient/{patient_id}"}
    binary = {
        "resourceType": "Binary",
        "contentType": file.media_type,
        "securityContext": person,
        "data": base64.b64encode(file.content).decode(),
    }
    document: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "final",
        "subject": person,
        "date": at.isoformat(timespec="milliseconds"),
        "author": [_party(author)],
        "description": title,
        "content": [{"attachment": {**_attachment(title, file, at), "url": held}}],
    }
    if author.organisation:
        document["custodian"] = {
            "reference": author.organisation,
            "display": author.organisation_name,
        }
    if encounter:
        document["context"] = {"encounter": [{"reference": encounter}]}
    reference = {"reference": url, "type": "DocumentReference", "display": title}
    return reference, [created(binary, held), created(document, url)]


def _attachment(title: str, file: Taken, at: datetime) -> dict[str, Any]:
    return {
        "contentType": file.media_type,
        "title": title,
        "size": len(file.content),
        "creation": at.isoformat(timespec="seconds"),
    }


def _party(author: Author) -> dict[str, Any]:
    return {"reference": author.reference, "display": author.name}


def held(resource: Mapping[str, Any]) -> Taken | None:
    """The file in a Media or a Binary; None when there is none that can be shown."""
    attached = resource.get("content") if resource.get("resourceType") == "Media" else resource
    if not isinstance(attached, dict) or not isinstance(attached.get("data"), str):
        return None
    return Taken(str(attached.get("contentType", "")), base64.b64decode(attached["data"]))
