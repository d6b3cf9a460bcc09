"""Scopes in words that an inhabitant understands: what an app wants to see, or to change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from helsevev.access import scopes
from helsevev.locale import gettext as _


class Wish(msgspec.Struct, frozen=True):
    """One thing that an app asks for: the scopes it stands for, in words."""

    scopes: tuple[str, ...]
    title: str
    detail: str = ""
    changes: bool = False

    @property
    def value(self) -> str:
        """The scopes as one text, for a form."""
        return " ".join(self.scopes)


def wishes(granted: Iterable[str]) -> list[Wish]:
    """What the scopes mean, the widest first; scopes that say nothing to a person are left out."""
    found = [scope for text in granted if (scope := scopes.read(text)) is not None]
    found.sort(key=lambda scope: (scope.type != "*", scope.text))
    told = [_wish(scope) for scope in found]
    plain = tuple(text for text in granted if text in scopes.OF_IDENTITY)
    if plain:
        told.append(Wish(plain, _("Who you are"), _("Your name and that you are signed in.")))
    if "offline_access" in granted:
        told.append(
            Wish(
                ("offline_access",),
                _("Go on when you are not using it"),
                _("The app can fetch news by itself until the access ends."),
            )
        )
    return told


def kinds_named(types: Iterable[str]) -> tuple[list[str], int]:
    """What some resource types are called, and how many more there are without a name."""
    known, asked = _kinds(), list(types)
    named = sorted({known[kind] for kind in asked if kind in known})
    return named, sum(kind not in known for kind in asked)


def _wish(scope: scopes.Scope) -> Wish:
    kind = _kinds().get(scope.type) or _("other health information ({type})").format(
        type=scope.type
    )
    reads, writes = set("rs") & set(scope.letters), set("cud") & set(scope.letters)
    if reads and writes:
        title = _("See and change {what}")
    elif writes:
        title = _("Write {what}")
    else:
        title = _("See {what}")
    details = []
    if scope.query:
        details.append(_("Only a part: {part}").format(part=_part(scope.query)))
    if "d" in scope.letters:
        details.append(_("The app may also remove what is there."))
    return Wish((scope.text,), title.format(what=kind), " ".join(details), bool(writes))


def _part(query: str) -> str:
    codes = [pair.partition("=")[2].rpartition("|")[2] for pair in query.split("&")]
    known = _parts()
    return ", ".join(known.get(code, code) for code in codes)


def _parts() -> Mapping[str, str]:
    return {
        "laboratory": _("laboratory results"),
        "vital-signs": _("vital signs"),
        "social-history": _("habits and living conditions"),
        "problem-list-item": _("the list of problems"),
        "active": _("what is active now"),
    }


def _kinds() -> Mapping[str, str]:
    return {
        "*": _("everything in the record"),
        "Patient": _("name, birth date, address and contact information"),
        "Observation": _("measurements and test results"),
        "DiagnosticReport": _("test reports"),
        "Condition": _("diagnoses and problems"),
        "AllergyIntolerance": _("allergies"),
        "MedicationRequest": _("prescriptions"),
        "MedicationStatement": _("medicines you use"),
        "MedicationAdministration": _("medicines that were given"),
        "Immunization": _("vaccinations"),
        "Encounter": _("contacts with the health service"),
        "Appointment": _("appointments"),
        "CarePlan": _("care plans"),
        "Goal": _("goals"),
        "Procedure": _("treatments and operations"),
        "DocumentReference": _("letters and documents"),
        "Composition": _("notes"),
        "QuestionnaireResponse": _("forms that were filled in"),
        "Communication": _("messages"),
        "RelatedPerson": _("relatives and contact persons"),
        "Practitioner": _("names of those who work in the health service"),
        "Organization": _("names of hospitals and units"),
    }
