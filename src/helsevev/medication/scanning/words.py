"""What a scan is told as: a few words to be seen from afar, and one sentence that says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir.reading import OSLO, concept_texts, mapping
from helsevev.locale import gettext as _
from helsevev.medication.dosage import plain
from helsevev.medication.round import Row, name_of
from helsevev.medication.scanning import fitting, judging
from helsevev.medication.scanning.judging import Verdict

_MOST_NAMED: Final = 4


class Told(Struct, frozen=True):
    """A verdict in words."""

    title: str
    text: str


def told_of(verdict: Verdict) -> Told:
    """What a verdict says to who scanned."""
    return _TOLD[verdict.kind](verdict)


def how_many(verdict: Verdict) -> str:
    """How much of what was scanned makes the dose, where that is not what was ordered."""
    fit = verdict.fit
    if fit is None or fit.pieces is None:
        return ""
    return f"{plain(fit.pieces)} {fit.unit}".strip()


def unchecked(verdict: Verdict) -> list[str]:
    """What the order does not say, and a person has to look at."""
    said = {
        "form": _("The order does not say the form: check that it is right."),
        "strength": _("The strength cannot be compared: check that it is right."),
    }
    return [said[each] for each in (verdict.fit.unchecked if verdict.fit else ())]


def _scanned(verdict: Verdict) -> str:
    return verdict.product.name if verdict.product is not None else _("The label")


def _ordered(verdict: Verdict) -> str:
    if verdict.rows:
        row = verdict.rows[0]
        return f"{row.name}, {row.amount}" if row.amount else row.name
    names = [name_of(order) for order in verdict.expected]
    more = len(names) - _MOST_NAMED
    listed = ", ".join(names[:_MOST_NAMED])
    return listed + (" " + _("and %(count)s more") % {"count": more} if more > 0 else "")


def _wrong(title: str, verdict: Verdict) -> Told:
    said = {"scanned": _scanned(verdict), "ordered": _ordered(verdict)}
    if not said["ordered"]:
        text = _("%(scanned)s was scanned. Nothing is due to this patient now.")
    else:
        text = _("%(scanned)s was scanned. Ordered: %(ordered)s.")
    return Told(title, text % said)


def _wrong_medicine(verdict: Verdict) -> Told:
    return _wrong(_("Wrong medicine"), verdict)


def _wrong_strength(verdict: Verdict) -> Told:
    return _wrong(_("Wrong strength"), verdict)


def _wrong_form(verdict: Verdict) -> Told:
    return _wrong(_("Wrong form"), verdict)


def _wrong_patient(verdict: Verdict) -> Told:
    if verdict.rows or verdict.pack:
        return Told(_("Wrong patient"), _("This is not for this patient."))
    return Told(
        _("Wrong patient"),
        _("What was scanned is another patient's. Open the right patient, or find the right one."),
    )


def _expired(verdict: Verdict) -> Told:
    day = verdict.expires or date.min
    said = {"scanned": _scanned(verdict), "day": f"{day:%d.%m.%Y}"}
    return Told(_("Expired"), _("%(scanned)s expired on %(day)s.") % said)


def _stopped(verdict: Verdict) -> Told:
    said = _("%(name)s has been stopped.")
    return Told(_("Stopped"), _with_why(said, verdict.expected[0]))


def _paused(verdict: Verdict) -> Told:
    return Told(_("Paused"), _with_why(_("%(name)s is paused."), verdict.expected[0]))


def _with_why(sentence: str, order: Mapping[str, Any]) -> str:
    why = ", ".join(concept_texts(order.get("statusReason")))
    text = sentence % {"name": name_of(order)}
    return f"{text} {why}." if why else text


def _not_due(verdict: Verdict) -> Told:
    row = verdict.rows[0]
    said = {"name": row.name, "time": _clock(row.at)}
    return Told(_("Not due yet"), _("%(name)s is due at %(time)s.") % said)


def _signed(verdict: Verdict) -> Told:
    row = verdict.rows[0]
    said = {"name": row.name, "time": _clock(row.signed_at or row.at), "who": row.signed_by}
    if row.state == "withheld":
        text = _("%(name)s was said not to be given, by %(who)s at %(time)s.")
    else:
        text = _("%(name)s was given by %(who)s at %(time)s.")
    return Told(_("Signed already"), text % said)


def _unknown(verdict: Verdict) -> Told:
    number = verdict.pack.gtin or verdict.pack.item if verdict.pack else ""
    said = _("The catalogue does not know the code %(number)s. Sign without scanning, and say why.")
    return Told(_("Unknown code"), said % {"number": number})


def _dose(verdict: Verdict) -> Told:
    row: Row = verdict.rows[0]
    return Told(_("Right patient, right medicine"), f"{row.name}, {row.amount}")


def _needed(verdict: Verdict) -> Told:
    needed: Any = verdict.needed
    return Told(_("As needed"), f"{needed.name}, {needed.amount}")


def _right_patient(_verdict: Verdict) -> Told:
    return Told(_("Right patient"), _("Scan the medicine."))


def _no_patient(_verdict: Verdict) -> Told:
    said = _("Then the medicine is compared with the round.")
    return Told(_("Scan the wristband first"), said)


def _unreadable(_verdict: Verdict) -> Told:
    said = _("Scan once more, write the number, or sign without scanning and say why.")
    return Told(_("The code could not be read"), said)


def _clock(at: datetime) -> str:
    return f"{at.astimezone(OSLO):%d.%m. %H:%M}"


_TOLD: Final[Mapping[str, Callable[[Verdict], Told]]] = {
    judging.DOSE: _dose, judging.AS_NEEDED: _needed, judging.PATIENT: _right_patient,
    judging.NO_PATIENT: _no_patient, judging.UNREADABLE: _unreadable, judging.UNKNOWN: _unknown,
    judging.WRONG_PATIENT: _wrong_patient, fitting.WRONG_MEDICINE: _wrong_medicine,
    fitting.WRONG_STRENGTH: _wrong_strength, fitting.WRONG_FORM: _wrong_form,
    judging.EXPIRED: _expired, judging.STOPPED: _stopped, judging.PAUSED: _paused,
    judging.NOT_DUE: _not_due, judging.SIGNED: _signed,
}  # fmt: skip


def outcomes() -> dict[str, str]:
    """What each stop and each failure is called."""
    return {
        judging.WRONG_PATIENT: _("Wrong patient"), fitting.WRONG_MEDICINE: _("Wrong medicine"),
        fitting.WRONG_STRENGTH: _("Wrong strength"), fitting.WRONG_FORM: _("Wrong form"),
        judging.EXPIRED: _("Expired"), judging.STOPPED: _("Stopped"), judging.PAUSED: _("Paused"),
        judging.NOT_DUE: _("Not due yet"), judging.SIGNED: _("Signed already"),
        judging.UNKNOWN: _("Unknown code"), judging.UNREADABLE: _("The code could not be read"),
    }  # fmt: skip


def requester_of(order: Mapping[str, Any]) -> str:
    """Who prescribed, in words; "" when nobody is named."""
    return str(mapping(order.get("requester")).get("display", ""))
