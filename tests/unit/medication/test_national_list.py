"""What the national list says comes in whole, is shown whole, and goes back as it came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from helsevev.fhir import serialization
from helsevev.fhir.reading import OSLO, objects
from helsevev.fhir.validation import validate
from helsevev.kit.settings import BadSetting, Settings
from helsevev.medication.national_list import comparing, incoming, message, outgoing
from helsevev.medication.national_list.telling import told
from helsevev.medication.order_form import dosages_of
from helsevev.medication.panel import Medicine, medicines
from helsevev.medication.prescription import Prescriber, prescribe, stop

from .meanings import of_service

OWN = Path(__file__).parent / "samples" / "national_list.json"
NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
DOCTOR = Prescriber("Practitioner/lege", "Line Lege")
SENDER = outgoing.Sender({"name": [{"family": "Lege"}]}, {"name": "Sengeposten"}, "Line Lege")
NUMBER = "13116900216"
# How a message is put together: it says nothing of the patient.
MACHINERY = {"reference", "fullUrl", "id", "url", "system", "div", "resourceType", "profile",
             "source", "lastUpdated", "relation", "total", "timestamp"}  # fmt: skip


def own() -> dict[str, Any]:
    return serialization.decode(OWN.read_bytes())


def answers(folder: Path) -> Iterator[dict[str, Any]]:
    """Every answer and message with a list, of a folder of samples."""
    for path in sorted(folder.rglob("*.json")):
        try:
            found = json.loads(path.read_text("utf-8"))
        except ValueError:
            continue  # One is published with a comma too many; its mended copy is here as well.
        if any(p.get("name") == "medication" for p in found.get("parameter", ())):
            yield serialization.decode(path.read_bytes())


def numbers_of(answer: dict[str, Any]) -> list[str]:
    return [
        each["value"] for entry in answer["parameter"][0]["resource"]["entry"]
        if entry["resource"]["resourceType"] == "Patient"
        for each in entry["resource"]["identifier"]
    ]  # fmt: skip


def leaves(value: Any, name: str = "") -> Iterator[str]:
    """All that is said somewhere in a message, in words, numbers and codes."""
    if isinstance(value, dict):
        for key, inner in value.items():
            # Of a reference, its type is a profile; elsewhere it is a statement.
            if key not in MACHINERY and not (key == "type" and isinstance(inner, str)):
                yield from leaves(inner, key)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each, name)
    elif value is not None:
        yield _as_shown(value)


def _as_shown(value: Any) -> str:
    if isinstance(value, bool):
        return "ja" if value else "nei"
    if isinstance(value, str):
        if len(value) > 15 and value[10] == "T" and value[:4].isdigit():
            return f"{datetime.fromisoformat(value).astimezone(OSLO):%d.%m.%Y %H:%M}"
        return value.strip()
    shown = format(value, "f")
    return (shown.rstrip("0").rstrip(".") if "." in shown else shown).replace(".", ",")


def shown_of(national: message.NationalList) -> str:
    """Everything that a reader of the page sees or can unfold."""
    rows = [row for line in (*national.lines, *national.former) for row in line.told]
    parts = (national.allergies, national.multidose, national.other, national.dispensed,
             national.rest)  # fmt: skip
    rows += [row for part in parts for resource in part for row in told(resource)]
    return "\n".join(row.text for row in rows)


def check_whole(answer: dict[str, Any]) -> None:
    national = message.read(answer, numbers_of(answer))
    shown = shown_of(national)
    entries = answer["parameter"][0]["resource"]["entry"]
    missing = {leaf for entry in entries for leaf in leaves(entry["resource"])
               if leaf and leaf not in shown}  # fmt: skip
    assert missing == set()
    people = {entry["fullUrl"]: entry["resource"] for entry in entries}
    for line in (*national.lines, *national.former):
        made = incoming.statement(line, "anne", people)
        assert validate(made) == [], line.name
        kept = "\n".join(leaves(made))
        received = {k: v for k, v in line.statement.items() if k != "subject"}
        assert {leaf for leaf in leaves(received) if leaf not in kept} == set(), line.name
    for each in national.allergies:
        assert validate(incoming.allergy(each, "anne")) == []


def test_all_of_a_sample_is_shown_and_kept() -> None:
    check_whole(own())


def test_all_of_the_services_own_samples_is_shown_and_kept(shared: Path) -> None:
    found = list(answers(shared / "data" / "norway" / "sfm"))
    assert len(found) >= 7
    for answer in found:
        check_whole(answer)


def test_what_nobody_touched_goes_back_as_it_came(shared: Path) -> None:
    for answer in (own(), *answers(shared / "data" / "norway" / "sfm")):
        national = message.read(answer, numbers_of(answer))
        made = outgoing.message(national, comparing.rows(medicines([], now=NOW), {}, national), {},
                                SENDER, NOW, "7c6d")  # fmt: skip
        assert not made.changes
        before = {e["fullUrl"]: e["resource"] for e in objects(national.bundle["entry"])}
        after = {e["fullUrl"]: e["resource"]
                 for e in made.parameters["parameter"][0]["resource"]["entry"]}  # fmt: skip
        for url, resource in before.items():
            if resource["resourceType"] != "Composition":
                assert after[url] == resource


def line_of(made: dict[str, Any]) -> Medicine:
    (found,) = medicines([], [{**made, "id": "line"}], now=NOW).every
    return found


def by_name(national: message.NationalList, name: str) -> message.Line:
    return next(line for line in national.lines if line.name.startswith(name))


def test_a_course_ends_on_the_day_before_the_one_the_service_calls_its_end() -> None:
    line = by_name(message.read(own(), [NUMBER]), "Betennelin")
    made = incoming.statement(line, "anne", {})
    shown = line_of(made)
    assert [each.period for each in shown.doses] == [
        "20.11.2026–24.11.2026", "26.11.2026–28.11.2026"
    ]  # fmt: skip
    assert shown.notes == (line.words,)


def test_a_line_is_shown_as_any_line_of_ours() -> None:
    national = message.read(own(), [NUMBER])
    people = {e["fullUrl"]: e["resource"] for e in national.bundle["entry"]}
    regular = line_of(incoming.statement(by_name(national, "Paraflex"), "anne", people))
    assert (regular.group, regular.dose_text, regular.reasons, regular.prescriber) == (
        "regular",
        "1 tablett morgen, 1 tablett kveld daglig, Tas utenom måltid, fra 02.10.2026",
        ("MOT SMERTER",), "Ola Lege, HPR: 9144897",
    )  # fmt: skip
    assert regular.is_multidose
    mixture = line_of(incoming.statement(by_name(national, "Karbamid"), "anne", people))
    assert (mixture.name, mixture.group) == ("Karbamid 10 % krem 250 g", "as-needed")
    stopped = line_of(incoming.statement(by_name(national, "Hjerteril"), "anne", people))
    assert (stopped.group, stopped.stopped_because) == (
        "stopped", "Legemiddelreaksjon, For høyt kalium"
    )  # fmt: skip


def test_what_cannot_be_relied_on_is_said() -> None:
    problems = message.read(own(), [NUMBER]).problems
    assert [each.split(":")[0] for each in problems] == [
        "Det finnes låste resepter som ikke vises.",
        "Kjernejournal svarte ikke (Ingen rettighet til KJ oppslag)",
        "Listen har en del som ikke er kjent her",
        "Listen nevner noe som mangler, men svaret mangler det.",
        "Dråpelin øyedr 5 mg/ml",
    ]
    assert "2 Morgen" in problems[-1]


def test_an_answer_about_somebody_else_is_not_read() -> None:
    with pytest.raises(message.NotTheList):
        message.read(own(), ["01019012345"])
    mixed = own()
    mixed["parameter"][0]["resource"]["entry"][-1]["resource"]["subject"] = {"reference": "urn:x"}
    with pytest.raises(message.NotTheList):
        message.read(mixed, [NUMBER])
    with pytest.raises(message.NotTheList):
        message.read({"resourceType": "Parameters"}, [NUMBER])


def order(name: str, atc: str, key: str, **form: str) -> dict[str, Any]:
    blank = dict.fromkeys(("often", "at", "days", "hours", "start", "end", "rate"), "")
    medicine = {"coding": [{"system": "http://www.whocc.no/atc", "code": atc}], "text": name}
    dosages = dosages_of({**blank, "how": "daily", "unit": "tablett", **form}, date(2026, 11, 22))
    made = prescribe(medicine, dosages, patient_id="anne", prescriber=DOCTOR, at=NOW)
    return {**made, "id": key}


def compared(*orders: dict[str, Any]) -> tuple[list[comparing.Row], outgoing.Message]:
    national = message.read(own(), [NUMBER])
    resources = {f"MedicationRequest/{each['id']}": each for each in orders}
    rows = comparing.rows(medicines(list(orders), now=NOW), resources, national)
    return list(rows), outgoing.message(national, rows, resources, SENDER, NOW, "7c6d")


@pytest.mark.parametrize(
    ("ours", "kind"),
    [
        (order("Paraflex tablett 500 mg", "N02BE01", "a", amount="1", at="8 20"), "same"),
        (order("Paraflex tablett 500 mg", "N02BE01", "a", amount="2", at="8 20"), "differs"),
        (order("Paraflex tablett 500 mg", "N02BE01", "a", amount="1", at="8 14"), "differs"),
        (order("Paraflex tablett 500 mg", "N02BE01", "a", amount="1", at="8"), "differs"),
        (order("Paraflex tablett 1 g", "N02BE01", "a", amount="1", at="8 20"), "differs"),
        (order("Paraflex tablett 500 mg", "N02BE01", "a", amount="1", at="8 20",
               days="mon"), "differs"),
        (order("Hjerteril tablett 25 mg", "C03DA01", "a", amount="1", at="8"), "stopped-theirs"),
        (stop(order("Paraflex tablett 500 mg", "N02BE01", "a", amount="1", at="8 20"),
              "Leverskade", prescriber=DOCTOR, at=NOW), "stopped-ours"),
        (order("Noe annet tablett 5 mg", "A01AA01", "a", amount="1", at="8"), "only-ours"),
    ],
)  # fmt: skip
def test_both_lists_are_held_together_by_medicine_and_dose(ours: dict[str, Any], kind: str) -> None:
    rows, _made = compared(ours)
    (row,) = [each for each in rows if each.ours is not None]
    assert row.kind == kind


def test_what_we_changed_added_and_stopped_is_put_into_their_document() -> None:
    stopped = stop(order("Dråpelin øyedråper 5 mg/ml", "S01ED01", "c", amount="1", at="8",
                         unit="dråpe"), "Tørre øyne", prescriber=DOCTOR, at=NOW)  # fmt: skip
    _rows, made = compared(
        order("Paraflex tablett 500 mg", "N02BE01", "a", amount="2", at="8 14"),
        order("Nytt tablett 5 mg", "A01AA01", "b", amount="1", at="21", end="2026-11-30"),
        stopped,
    )
    acts = {each.name.split()[0]: each.act for each in made.sent}
    assert acts == {"Paraflex": "changed", "Nytt": "added", "Dråpelin": "stopped",
                    "Betennelin": "left", "Karbamid": "left"}  # fmt: skip
    sent = message.read(serialization.decode(serialization.encode(made.parameters)), [NUMBER])
    changed, added = by_name(sent, "Paraflex"), by_name(sent, "Nytt")
    assert changed.words == "2 tabletter, 2 ganger daglig, kl. 08:00, 14:00"
    assert [codes for _step, codes in of_service(changed.statement)] == [("1", "4")]
    ((step, codes),) = of_service(added.statement)
    assert (step.last, codes) == (date(2026, 11, 30), ("5",))
    gone = by_name(sent, "Dråpelin")
    assert (gone.statement["status"], gone.stopped_because) == (
        "stopped", "Annen årsak, Tørre øyne"
    )  # fmt: skip
    composition = made.parameters["parameter"][0]["resource"]["entry"][0]["resource"]
    assert composition["relatesTo"][0]["targetIdentifier"]["value"].startswith("00000000-aaaa")
    assert composition["identifier"]["value"] == made.identifier


def test_what_cannot_be_said_nationally_is_kept_back_and_told() -> None:
    inpatient = order("Morfin tablett 10 mg", "N02AA01", "a", amount="1", at="8")
    inpatient["category"] = [{"coding": [{"code": "inpatient"}]}]
    paused = {**order("Somac tablett 20 mg", "A02BC02", "b", amount="1", at="8"),
              "status": "on-hold"}  # fmt: skip
    stopped_there = order("Hjerteril tablett 25 mg", "C03DA01", "c", amount="1", at="8")
    _rows, made = compared(inpatient, paused, stopped_there)
    assert {each.name.split()[0]: each.why for each in made.kept_back} == {
        "Morfin": "det gjelder bare dette oppholdet",
        "Somac": "den nasjonale listen har ikke noe ord for pause",
        "Hjerteril": "det er seponert nasjonalt: ta stilling til det først",
    }
    assert not made.changes


@pytest.mark.parametrize("address", ["http://sfm.example.no", "ftp://sfm.example.no", "sfm"])
def test_a_token_is_sent_to_no_address_that_is_read_on_the_way(address: str) -> None:
    with pytest.raises(BadSetting):
        Settings.from_environment({"HELSEVEV_MEDICATION_SERVICE": address})
    here = Settings.from_environment({"HELSEVEV_MEDICATION_SERVICE": "http://127.0.0.1:8/"})
    assert here.medication_service == "http://127.0.0.1:8"
