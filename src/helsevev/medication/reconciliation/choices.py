"""What can be decided of each row, each choice with the reason that usually goes with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from helsevev.content import loading
from helsevev.fhir.reading import concept_text, concept_texts
from helsevev.locale import gettext as _
from helsevev.medication.reconciliation.comparing import Line, Row
from helsevev.medication.reconciliation.deciding import LEAVE, RESUME, Resource
from helsevev.medication.reconciliation.lists import HOME, SAID, WARD


class Option(Struct, frozen=True):
    """One choice for a row: what the form sends, what it says, and the reason that goes with it.

    `reason` is empty when none is needed, or a person has to choose one (`needs_reason`).
    """

    value: str
    label: str
    reason: str = ""
    needs_reason: bool = False


def list_names() -> dict[str, str]:
    """What the lists are called."""
    return {HOME: _("At home"), WARD: _("On the ward"), SAID: _("The patient says")}


def state_words(row: Row) -> str:
    """What a row's state is called."""
    differs = {"dose": _("another dose"), "schedule": _("other times"), "route": _("another route"),
               "wording": _("other words")}  # fmt: skip
    if row.state == "changed":
        return ", ".join(word for key, word in differs.items() if key in row.differs)
    if row.state == "only":
        only = {HOME: _("only at home"), WARD: _("only on the ward"), SAID: _("only the patient")}
        lists = [line.list for line in row.lines]
        return only[lists[0]] if len(lists) == 1 else _("not in every list")
    return {
        "same": _("the same"), "stopped": _("stopped in one list"),
        "paused": _("on hold in one list"), "unclear": _("cannot be compared"),
    }[row.state]  # fmt: skip


def found_in(row: Row) -> str:
    """In which lists a row is, as the content's usual reasons say it."""
    lists = {line.list for line in row.lines if line.status != "stopped"}
    if len(lists) > 1:
        return "both"
    return next(iter(lists), HOME)


def goes_on(row: Row, at: str, lists: Sequence[str]) -> bool:
    """Whether a row is unchanged; all such go on by one press.

    What is the same everywhere; on the way in what only the ward has ordered, and what only the
    list at home has when the patient says nothing else.
    """
    readable = all(line.doses and all(d.is_readable for d in line.doses) for line in row.lines)
    if row.is_duplicate or not readable or any(line.status != "active" for line in row.lines):
        return False
    arrives = at in ("admission", "transfer")
    if row.state == "same":
        return row.of(WARD if arrives else HOME) is not None or at == "admission"
    if row.state != "only" or not arrives or len(row.lines) > 1:
        return False
    return row.of(WARD) is not None or (
        at == "admission" and row.of(HOME) is not None and SAID not in lists
    )


def options(
    row: Row, at: str, resources: Mapping[str, Resource], *, may_prescribe: bool
) -> list[Option]:
    """The choices of a row, the one that changes nothing first."""
    target = WARD if at in ("admission", "transfer") else HOME
    there = _standing(row, target)
    found: list[Option] = []
    if there is not None:
        if there.status == "paused":
            found.append(Option("continue", _("Stays on hold: %(dose)s") % {"dose": there.words}))
            if may_prescribe:
                found.append(Option(RESUME, _("Taken up again: %(dose)s") % {"dose": there.words}))
        else:
            found.append(Option("continue", _("Goes on: %(dose)s") % {"dose": _dose(there)}))
    if may_prescribe:
        found += _from_others(row, at, there)
        found += [_with_reason(row, at, "change:own", _("Another dose"))]
        found += _ends(row, at, resources)
    found.append(Option(LEAVE, _("Somebody else decides")))
    return found


def _from_others(row: Row, at: str, there: Line | None) -> list[Option]:
    """The dose of another list, or its start in the one that goes on."""
    found: list[Option] = []
    for name, label in _doses_of().items():
        line = _standing(row, name)
        if line is None or line is there:
            continue
        if there is not None or found:
            if row.state != "same":
                made = _with_reason(row, at, f"change:{name}", label % {"dose": _dose(line)})
                found.append(made)
        elif at == "admission" and name == HOME and line.status == "paused":
            found.append(Option("continue", _("Stays on hold: %(dose)s") % {"dose": line.words}))
            said = _("Starts: %(dose)s") % {"dose": line.words}
            found.append(_with_reason(row, at, "start", said))
        elif at == "admission" and name == HOME:
            said = _("Goes on here: %(dose)s") % {"dose": _dose(line)}
            found.append(Option("continue", said))
        else:
            said = _("Goes on at home: %(dose)s") if at == "discharge" else _("Starts: %(dose)s")
            found.append(_with_reason(row, at, "start", said % {"dose": _dose(line)}))
    return found


def _ends(row: Row, at: str, resources: Mapping[str, Resource]) -> list[Option]:
    is_ward_only = at == "discharge" and found_in(row) == WARD
    stop = _("Ends here") if is_ward_only else _("Stop")
    held = _held_reason(row, resources)
    made = [_with_reason(row, at, "stop", stop, held)]
    if not is_ward_only and found_in(row) != SAID:
        made.append(_with_reason(row, at, "pause", _("Put on hold"), held))
    return made


def _with_reason(row: Row, at: str, value: str, label: str, held: str = "") -> Option:
    verb = value.partition(":")[0]
    content = loading.reconciliation()
    usual = content.label_of(content.usual_for(at, verb, found_in(row)), verb)
    reason = held or ("" if value == "change:own" else usual)
    return Option(value, label, reason, needs_reason=not reason)


def _held_reason(row: Row, resources: Mapping[str, Resource]) -> str:
    """Why one of the lists has it stopped or on hold already."""
    for line in row.lines:
        if line.status != "active":
            said = resources[line.key].get("statusReason")
            words = concept_text(said) or ", ".join(concept_texts(said))
            if words:
                return words
    return ""


def default_reason(
    row: Row, value: str, at: str, resources: Mapping[str, Resource]
) -> tuple[str, str]:
    """(code, words) of the reason that goes with a choice when no other was chosen."""
    verb = value.partition(":")[0]
    held = _held_reason(row, resources) if verb in ("stop", "pause") else ""
    if held:
        return "", held
    usual = loading.reconciliation().usual_for(at, verb, found_in(row))
    return ("" if value == "change:own" else usual), ""


def _standing(row: Row, name: str) -> Line | None:
    line = row.of(name)
    return line if line is not None and line.status != "stopped" else None


def _doses_of() -> dict[str, str]:
    return {
        WARD: _("The ward's dose: %(dose)s"), HOME: _("The dose at home: %(dose)s"),
        SAID: _("As the patient says: %(dose)s"),
    }  # fmt: skip


def _dose(line: Line) -> str:
    return (
        f"{line.words or _('Dose not stated')}{_(' (on hold)') if line.status == 'paused' else ''}"
    )
