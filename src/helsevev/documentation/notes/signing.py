"""Signing a note: with its files, and the request to who signs it too, in one transaction."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from helsevev.access.entries import created, transaction
from helsevev.documentation.note import NotSignable, sign_note
from helsevev.documentation.notes import cosigning, files
from helsevev.documentation.notes.desk import Desk
from helsevev.documentation.notes.offered import Offered, tracer
from helsevev.fhir.outcome import error
from helsevev.follow_up.asking import entry
from helsevev.kit import clock
from helsevev.locale import gettext as _


async def keep_note(
    desk: Desk, words: str, chosen: Offered, *, draft: str, cosigner: str, once: str
) -> None:
    """Sign and keep a note about whom the desk is opened for, once for each `once`.

    `draft` is the key of the draft whose files belong to it, `cosigner` the reference of who is
    asked to sign too. Raises NotSignable, or what writing raises; then nothing was stored.
    """
    now = clock.now()
    named = await _named(desk, cosigner)
    references, entries = await _files(desk, draft)
    note = sign_note(
        words,
        patient_id=desk.permit.patient_id,
        kind=chosen.kind,
        author=desk.author,
        at=now,
        encounter=desk.encounter,
        headings=desk.headings,
        tracer=tracer(desk.found, desk.shelf, now),
        files=references,
        cosigner=named is not None,
    )
    if named is None and not entries:
        await desk.services.writer.write(desk.actor, note, idempotency_key=once)
        return
    url = f"urn:uuid:{uuid4()}"
    entries = [created(note, url), *entries]
    if named is not None:
        entries.append(entry(cosigning.asked(note, url, desk.actor, named, now)))
    await desk.services.bundles.transact(desk.actor, transaction(entries), idempotency_key=once)


async def _named(desk: Desk, reference: str) -> cosigning.Colleague | None:
    """Who is asked to sign too. NotSignable when somebody has to be, or is nobody who may."""
    if not reference:
        if cosigning.must_be_cosigned(desk.actor):
            told = _("Choose who co-signs the note.")
            raise NotSignable([error("required", told, "cosigner")])
        return None
    known = await cosigning.colleagues(desk.services, desk.actor)
    found = next((each for each in known if each.reference == reference), None)
    if found is None:
        told = _("Choose a colleague who may co-sign.")
        raise NotSignable([error("value", told, "cosigner")])
    return found


async def _files(desk: Desk, draft: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """References to the draft's files, and the entries that keep them."""
    kept = desk.services.draft_files
    references, entries = [], []
    for listed in await kept.of(desk.permit, draft):
        held = await kept.content(desk.permit, draft, listed.id)
        if held is not None:
            reference, made = files.entries(
                listed.title, files.Taken(*held), patient_id=desk.permit.patient_id,
                author=desk.author, at=clock.now(), encounter=desk.encounter,
            )  # fmt: skip
            references.append(reference)
            entries += made
    return references, entries
