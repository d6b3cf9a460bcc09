"""Municipal services as they run: episodes, teams, visits, rounds, notes and talk about the user.

Courses say that a service is needed from a day on (`needs`); here the needs are put together, one
service at a time: what is given at home waits while somebody is in an institution.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from .calendar import DAY, clock, iso
from .catalogue import Unit
from .chance import Chance
from .demo.codes import coding, concept, volven
from .life import Life, Service, Tale, at_unit, named
from .notation import words
from .telling.contacts import contact
from .telling.documents import message, written
from .telling.findings import blood_pressure, observed, signs_of, signs_round
from .telling.plans import care_plan
from .workforce import Worker, workforce


class _Kind(NamedTuple):
    name: str
    municipal: str
    """The service's code in Volven 9151, as far as this project knows it; empty for none."""
    what: str
    where: str
    nurse: str
    helper: str
    hours: tuple[int, ...]
    goal: str
    actions: tuple[str, ...]


_KINDS = {
    "home-care": _Kind(
        "Hjemmesykepleie", "15", "Hjemmebesøk", "home", "nurse", "assistant-nurse",
        (8, 9, 10, 11, 13, 18, 20), "Bo trygt hjemme",
        ("Hjelp til legemidler", "Observasjon av ernæring og vekt", "Forebygging av fall"),
    ),
    "nursing-home": _Kind(
        "Langtidsopphold i institusjon", "21", "Tilsyn på sykehjem", "inpatient", "nurse",
        "assistant-nurse", (9, 11, 14, 19), "Verdige og gode dager",
        ("Munnstell og ernæring", "Aktivitet hver dag", "Legemiddelgjennomgang to ganger i året"),
    ),
    "short-stay": _Kind(
        "Tidsbegrenset opphold", "19", "Tilsyn på korttidsopphold", "inpatient", "nurse",
        "assistant-nurse", (9, 11, 14, 19), "Hjem igjen med best mulig funksjon",
        ("Trening med fysioterapeut", "Vurdering av hjelpebehov hjemme"),
    ),
    "assisted-living": _Kind(
        "Tjenester i bofellesskap", "", "Miljøarbeid i bofellesskap", "home", "social-educator",
        "assistant-nurse", (8, 12, 16, 20), "Mestre hverdagen",
        ("Struktur i døgnet", "Hjelp til legemidler", "Følge til time hos lege"),
    ),
}  # fmt: skip
_UNIT = {"home-care": "home-care", "nursing-home": "nursing-home-ward",
         "short-stay": "nursing-home-ward", "assisted-living": "assisted-living"}  # fmt: skip
_BEFORE_OTHERS = ("nursing-home", "assisted-living", "short-stay", "home-care")
# How many messages a day are written about somebody who has the service.
_TALK = {"home-care": 0.29, "nursing-home": 0.44, "short-stay": 0.8, "assisted-living": 0.38}
_ASKED = (
    "Kan noen på neste vakt se til såret på leggen?",
    "Resepten er fornyet, multidosen kommer på torsdag.",
    "Datter ringte og spør om vekten, hun synes hun er blitt tynn.",
    "Hun ville ikke ha frokost i dag. Følger med.",
    "Fikk hostemikstur av fastlegen, ikke på listen ennå.",
    "Tok BT to ganger, lavt begge gangene. Gir beskjed til lege.",
    "Døra var låst, nøkkelboksen virker ikke.",
    "Har fysioterapeuten vært innom?",
)
_ANSWERED = (
    "Ja, tar det i kveld.", "Takk, noteres.", "Jeg ringer henne i dag.", "Har lagt det inn nå.",
    "Sett. Nytt besøk klokken 14.", "Legen er varslet og ser på det i morgen.",
)  # fmt: skip
_HOME_SAYS = (
    "Oppe og påkledd da vi kom. Spiser og drikker bra.",
    "Klager over tunge bein. Ødem rundt anklene, veid.",
    "Ustø i dag. Gikk med rullator, minnet om trygghetsalarm.",
    "Rydder selv på kjøkkenet. Fortalte om barnebarna.",
    "Tørr hud på leggene, smurt. Ingen sår.",
    "Virker mer forvirret enn sist, vet ikke hvilken dag det er. Følges opp.",
)


def needs(
    t: Tale,
    kind: str,
    since: int,
    reason: str,
    *,
    until: int | None = None,
    visits: float = 3.5,
    medicines: bool = True,
) -> None:
    """A service is needed from a day on, for a reason; `visits` is contacts a week."""
    unit = t.person.unit(_UNIT[kind])
    t.life.services.append(Service(kind, since, until, unit, visits, medicines, reason))


def settle(life: Life) -> None:
    """Put the needs together: one service at a time, the others waiting while it is given."""
    settled: list[Service] = []
    for kind in _BEFORE_OTHERS:
        for service in _merged(each for each in life.services if each.kind == kind):
            settled += _waiting(service, settled)
    life.services = sorted(settled, key=lambda each: each.since)


def _merged(needs: Iterable[Service]) -> list[Service]:
    """Services of one kind, those that meet made one, in their order."""
    merged: list[Service] = []
    for new in sorted(needs, key=lambda each: each.since):
        last = merged[-1] if merged else None
        if last is None or (last.until is not None and last.until < new.since):
            merged.append(new)
            continue
        open_ended = last.until is None or new.until is None
        last.until = None if open_ended else max(last.until or 0, new.until or 0)
        last.visits = min(max(last.visits, new.visits) + 0.5, 14.0)
        last.medicines = last.medicines or new.medicines
    return merged


def _waiting(service: Service, others: Iterable[Service]) -> list[Service]:
    """The parts of a service during which none of the others is given."""
    parts = [service]
    for other in others:
        parts = [part for whole in parts for part in _without(whole, other)]
    return parts


def _without(whole: Service, other: Service) -> list[Service]:
    """What is left of a service before and after another one."""
    until = other.since if whole.until is None else min(whole.until, other.since)
    left = [replace(whole, until=until)]
    if other.until is not None:
        left.append(replace(whole, since=max(whole.since, other.until)))
    return [part for part in left if part.until is None or part.since < part.until]


def run(life: Life) -> None:
    """Tell every service that runs in the window: episode, team, plan, visits and talk."""
    for number, service in enumerate(life.services):
        first = max(service.since, life.start // DAY)
        last = life.last_day if service.until is None else min(service.until - 1, life.last_day)
        if first > last or clock(service.since, 8) >= life.end:
            continue
        t = Tale(life, Chance(life.person.seed, "service", life.person.id, number))
        kind = _KINDS[service.kind]
        primary = t.worker(service.unit, kind.nurse)
        _episode(t, service, kind, primary)
        if service.since >= life.since - 700:
            care_plan(t, service.since, kind.name, primary, kind.actions, kind.goal,
                      service.until)  # fmt: skip
        _visits(t, service, kind, primary, first, last)
        _talk(t, service, kind, first, last)


def _episode(t: Tale, service: Service, kind: _Kind, primary: Worker) -> None:
    life = t.life
    over = life.died_at is not None or (
        service.until is not None and service.until <= life.last_day
    )
    period = {"start": iso(service.since)}
    if over:
        last = life.end // DAY if service.until is None else service.until
        period["end"] = iso(min(last, life.end // DAY))
    codings = (coding(volven(9151), kind.municipal, kind.name),) if kind.municipal else ()
    life.put(
        "EpisodeOfCare",
        {
            "status": "finished" if over else "active",
            "type": [concept(kind.name, *codings)],
            "patient": life.subject,
            "managingOrganization": at_unit(service.unit),
            "period": period,
            "careManager": named(primary),
        },
    )
    members: list[dict[str, Any]] = [
        {"role": [words("Primærkontakt")], "member": named(primary)},
        {"role": [words("Fastlege")], "member": named(t.gp())},
        {"role": [words("Ansvarlig enhet")], "member": at_unit(service.unit)},
    ]
    life.put(
        "CareTeam",
        {
            "status": "inactive" if over else "active",
            "name": f"{kind.name}, {service.reason.lower()}",
            "subject": life.subject,
            "period": period,
            "participant": members,
            "managingOrganization": [at_unit(service.unit)],
        },
    )


def _visits(t: Tale, service: Service, kind: _Kind, primary: Worker, first: int, last: int) -> None:
    life, chance = t.life, t.chance
    daily = service.visits / 7
    number = 0
    for day in range(first, last + 1):
        count = int(daily) + chance.happens(daily % 1)
        for _ in range(count):
            at = clock(day, chance.among(kind.hours), chance.whole(0, 55))
            if life.in_hospital(at):
                continue
            profession = kind.nurse if chance.happens(0.6) else kind.helper
            by = primary if chance.happens(0.25) else profession
            seen = contact(t, at, kind.where, kind.what, service.unit, by,
                           minutes=chance.whole(10, 40))  # fmt: skip
            if seen is None:
                continue
            number += 1
            if number % 7 == 0:
                written(t, seen.end, "home-visit" if service.kind == "home-care" else "nursing",
                        seen.by, service.unit, {"Observasjon": chance.among(_HOME_SAYS)},
                        seen.reference)  # fmt: skip
            if number % 12 == 3:
                blood_pressure(t, chance.around(138, 15), chance.around(76, 9), at, seen.by,
                               seen.reference)  # fmt: skip
                observed(t, "pulse", chance.around(74, 9), at, seen.by, seen.reference)
            if number % 40 == 9:
                signs_round(t, signs_of(t, chance.between(0, 0.3)), at, seen.by, seen.reference)
        if chance.happens(1 / 30):
            weight = t.memory.setdefault("weight", chance.around(68, 12))
            t.memory["weight"] = weight + chance.around(-0.1, 0.5)
            at = clock(day, 9, 20)
            if not life.in_hospital(at):
                observed(t, "weight", t.memory["weight"], at, primary)
        if service.kind in ("nursing-home", "short-stay") and (day + number) % 12 == 0:
            _doctor_s_round(t, service, day)


def _doctor_s_round(t: Tale, service: Service, day: int) -> None:
    home = service.unit.part_of
    doctors = workforce()[home or service.unit.id].get("physician")
    at = clock(day, t.chance.whole(9, 13), t.chance.whole(0, 50))
    if doctors is None or t.life.in_hospital(at):
        return
    seen = contact(t, at, "inpatient", "Legevisitt på sykehjem", service.unit,
                   t.chance.among(doctors), minutes=15)  # fmt: skip
    if seen is not None and t.chance.happens(0.3):
        written(t, seen.end, "progress", seen.by, service.unit, {
            "Aktuelt": "Gjennomgått med sykepleier. Ingen nye plager.",
            "Vurdering": "Stabil. Legemiddellisten er sett over.",
        }, seen.reference)  # fmt: skip


def _talk(t: Tale, service: Service, kind: _Kind, first: int, last: int) -> None:
    life, chance = t.life, t.chance
    per_day = _TALK[service.kind] / 1.6
    partner: Unit = t.person.unit("general-practice")
    for day in range(first, last + 1):
        if not chance.happens(per_day):
            continue
        at = clock(day, chance.whole(7, 21), chance.whole(0, 59))
        if life.in_hospital(at):
            continue
        to = partner if chance.happens(0.2) else service.unit
        asked = message(t, at, t.worker(service.unit, kind.nurse), to, chance.among(_ASKED), None)
        if chance.happens(0.6):
            answer = t.gp() if to is partner else t.worker(service.unit, kind.helper)
            message(t, at + chance.whole(3, 240), answer, service.unit, chance.among(_ANSWERED),
                    asked)  # fmt: skip
