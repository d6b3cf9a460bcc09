"""Silje Rognli, 31: pregnant for the first time, week 27, diabetes of pregnancy just found."""

# A story is read as a table, one fact a line.
# fmt: off
from __future__ import annotations

from datetime import timedelta

from ..codes import LOINC, coding, concept
from ..contacts import appointment, care_team, encounter, episode
from ..home import Place
from ..laboratory import laboratory
from ..measurements import blood_pressures, series
from ..medicines import Dose, in_use
from ..notes import note
from ..people import patient, related_person
from ..plans import care_plan, service_request, social, task
from ..problems import condition, goal, immunization, no_known_allergy
from ..story import Story

STORY = "Gravid i uke 27 med første barn; svangerskapsdiabetes er nettopp oppdaget."
_STATION = "trondheim-helsestasjon-ost"
_CLINIC = "st-olavs-fode"


def tell(story: Story) -> None:
    """Everything in her record."""
    patient(
        story, "Silje", "Rognli", "female", story.time.birth_date(31, 4, 22),
        Place("Lyngmyra 9", "7047", "Trondheim", "5001", "Trondheim"), phone="+4710080101",
        married="ugift", contacts=(("samboer", "Eirik Tangvik", "+4710080102"),),
    )
    related_person(story, "samboer", "Eirik", "Tangvik", "+4710080102", sex="male")
    no_known_allergy(story, "-17w 10:20", "hilde-saether")
    pregnancy = condition(
        story, "svangerskap", "Svangerskap, para 0", since="-21w", by="hilde-saether",
        icd10=("Z34.0", "Kontroll av normalt førstegangssvangerskap"),
        icpc2=("W78", "Svangerskap bekreftet"),
    )
    diabetes = condition(
        story, "svangerskapsdiabetes", "Svangerskapsdiabetes", since="-6d", by="hilde-saether",
        icd10=("O24.4", "Diabetes mellitus som oppstår under svangerskap"),
        icpc2=("W85", "Svangerskapsdiabetes"), note="Glukosebelastning: 5,1 fastende, 9,4 etter to "
                                                    "timer.",
    )
    due = story.time.today + timedelta(days=7 * 40 - (7 * 26 + 3))
    social(story, "termin", concept("Termin", coding(LOINC, "11778-8", "Delivery date Estimated")),
           f"Ultralydtermin {due:%d.%m.%Y}", "-9w 11:00", "ragnhild-oien")
    in_use(story, "folsyre-0-4", Dose("1 tablett daglig", "1 tablett", "08"), "-26w", "Svangerskap",
           by="hilde-saether", status="completed", until="-14w", why="Gikk ut ved uke 12",
           course="2")
    in_use(story, "nycoplus-jern", Dose("2 tabletter daglig", "2 tablett", "08"), "-5w",
           "Lave jernlagre i svangerskapet", by="hilde-saether")
    _measurements(story)
    _contacts(story, pregnancy, diabetes)


def _measurements(story: Story) -> None:
    series(story, "weight", "67.2 68.0 69.4 71.3 72.8 74.1", "-17w 10:00", "-6d", "hilde-saether")
    blood_pressures(story, "112/68 110/66 114/70 116/70 118/74 122/76", "-17w 10:05", "-6d",
                    "hilde-saether")
    series(story, "fundal-height", "21.5 23.0 26.5", "-4w 10:10", "-6d", "hilde-saether")
    series(story, "fetal-heart", "150 148 144 140", "-9w 10:12", "-6d", "hilde-saether")
    series(story, "glucose", "5.4 6.9 5.2 7.4 5.0 6.6", "-5d 07:30", "-1d", "hilde-saether")
    for slug, when, answers, title in (
        ("forste", "-17w 10:30", "hb 12.9 ferritin 34 hba1c 34 glu 4.8", "Første kontroll"),
        ("uke-22", "-5w 10:30", "hb 11.4 ferritin 12", "Kontroll uke 22"),
        ("belastning", "-7d 08:00", "glu 5.1", "Glukosebelastning, fastende"),
        ("belastning-2", "-7d 10:00", "glu 9.4", "Glukosebelastning, to timer"),
    ):
        laboratory(story, slug, when, answers, sex="female", title=title,
                   conclusion="Over grensen for svangerskapsdiabetes (9,0)."
                   if slug == "belastning-2" else None)
    immunization(story, "kikhoste", "Kikhostevaksine til gravide", "-2w 10:40",
                 product=("DTP52_001", "Boostrix"), atc="J07AJ52", by="hilde-saether",
                 at=_STATION, dose=1)


def _contacts(story: Story, pregnancy: str, diabetes: str) -> None:
    course = episode(story, "svangerskap", "Svangerskapsomsorg", _STATION, "-18w",
                     manager="hilde-saether", conditions=(pregnancy,))
    care_team(story, "svangerskap", "Svangerskapsteam", _STATION, "-18w",
              (("Jordmor", "hilde-saether"), ("Fastlege", "sigrid-aune"),
               ("Helsesykepleier", "karianne-fossum")))
    visits = (
        ("-17w 10:00", "uke 9", ("Ønsket svangerskap. Kvalm om morgenen. Ikke røyk, ikke alkohol. "
                                "Mor har diabetes type 2.")),
        ("-9w 10:00", "uke 17", "Kvalmen er over. Kjenner ikke liv ennå. Fosterlyd god."),
        ("-4w 10:00", "uke 22", "Kjenner liv. Hb 11,4 og ferritin 12, starter jern."),
        ("-6d 10:00", "uke 26", ("Glukosebelastning over grensen. Overrasket og redd for barnet. "
                                "Fått apparat og opplæring i egenmåling.")),
    )
    for number, (when, week, told) in enumerate(visits, start=1):
        visit = encounter(story, f"jordmor-{number}", "ambulatory", "Svangerskapskontroll",
                          _STATION, "hilde-saether", when, when[:-2] + "40", episode=course,
                          reason=f"Svangerskapskontroll {week}",
                          place="trondheim-helsestasjon-ost")
        note(story, f"jordmor-{number}", "maternity", when[:-2] + "45", "hilde-saether", _STATION,
             {"Observasjon": told}, title=f"Svangerskapskontroll {week}", encounter=visit)
    scan = encounter(story, "ultralyd", "ambulatory", "Ultralyd uke 18", _CLINIC, "ragnhild-oien",
                     "-9w 11:00", "-9w 11:30", reason="Rutineultralyd", place=_CLINIC)
    note(story, "ultralyd", "outpatient", "-9w 11:35", "ragnhild-oien", _CLINIC, {
        "Funn": "Ett levende foster, normale mål og organer. Morkake i bakvegg.",
    }, title="Ultralyd", encounter=scan)
    referral = service_request(
        story, "svangerskapspol", "Svangerskapspoliklinikk, svangerskapsdiabetes", "Henvisning",
        "-6d 11:00", by="hilde-saether", to=_CLINIC, reason="Svangerskapsdiabetes",
        priority="urgent", wanted="+6d 12:00",
    )
    appointment(story, "svangerskapspol", "Svangerskapspoliklinikken", _CLINIC, "+3d 12:00", 30,
                by="ragnhild-oien", based_on=referral, instruction="Ta med blodsukkermålingene.")
    appointment(story, "jordmor", "Jordmor, uke 29", _STATION, "+15d 10:00", 40,
                by="hilde-saether")
    level = goal(story, "blodsukker", "Fastende blodsukker under 5,3 mmol/L", "-6d")
    care_plan(story, "svangerskap", "Plan for svangerskapet", "-6d", "hilde-saether",
              (("Blodsukker", "fastende og to timer etter måltid"),
               ("Kost og aktivitet", "halvtimes tur hver dag"),
               ("Tilvekst", "ultralyd i uke 32 og 36")), goals=(level,), conditions=(diabetes,))
    task(story, "egenmaling", "Ringe om de første blodsukkermålingene", _STATION, "-6d 11:05",
         "+1d 12:00", by="hilde-saether", owner="hilde-saether", status="accepted")
