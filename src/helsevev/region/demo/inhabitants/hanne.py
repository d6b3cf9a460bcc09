"""Hanne, 41: severe asthma, and an address that nobody outside her treatment may ever see."""

# A story is read as a table, one fact a line.
# fmt: off
from __future__ import annotations

from ..contacts import appointment, care_team, encounter, episode
from ..home import Place
from ..laboratory import laboratory
from ..measurements import blood_pressure, measured, series
from ..medicines import Dose, in_use
from ..notes import note
from ..people import flag, patient
from ..plans import task
from ..problems import allergy, condition, immunization
from ..story import Story

STORY = "Alvorlig astma; strengt fortrolig adresse, bare én bruker har behandlingsrelasjon."
_CLINIC = "st-olavs-lungepol"


def tell(story: Story) -> None:
    """Everything in her record."""
    patient(
        story, "Hanne", "Sørlie", "female", story.time.birth_date(41, 2, 17),
        Place("Skjermveien 77", "7099", "Flatåsen", "5001", "Trondheim"), phone="+4710060101",
        married="skilt", protected=True,
    )
    flag(story, "adresse", "Strengt fortrolig adresse", "safety", since="-14mo",
         by="ingrid-solemdal",
         detail="Adresse og telefon skal ikke leses opp, skrives ut eller gis videre.")
    allergy(
        story, "asa", "Acetylsalisylsyre og andre NSAID", category="medication",
        criticality="high", reaction=("Bronkospasme", "4386001", "severe"), since="-12y",
        by="ingrid-solemdal", atc=("M01A", ("Antiinflammatoriske og antireumatiske midler, "
                                           "ikke-steroide")),
        snomed=("387458008", "Acetylsalisylsyre"),
    )
    asthma = condition(
        story, "astma", "Alvorlig allergisk astma", since="-19y", by="ingrid-solemdal",
        icd10=("J45.0", "Hovedsakelig allergisk astma"), icpc2=("R96", "Astma"),
    )
    condition(story, "ptsd", "Posttraumatisk stresslidelse", since="-13mo", by="sigrid-aune",
              icd10=("F43.1", "Posttraumatisk stresslidelse [PTSD]"))
    in_use(story, "symbicort", Dose("2 inhalasjoner morgen og kveld", "2 inhalasjon", "08 20"),
           "-8y", "Astma", by="ingrid-solemdal")
    in_use(story, "xolair-150", Dose("300 mg under huden hver fjerde uke", "300 mg"), "-11mo",
           "Alvorlig allergisk astma", by="ingrid-solemdal")
    in_use(story, "ventoline", Dose("2 inhalasjoner ved behov", "2 inhalasjon",
                                    as_needed="Tungpust", most=8), "-19y", "Astma", course="3",
           by="ingrid-solemdal")
    in_use(story, "sertralin-50", Dose("1 tablett om morgenen", "1 tablett", "08"), "-12mo",
           "Posttraumatisk stresslidelse")
    series(story, "peak-flow", "280 300 340 360 380 370 400 410", "-12mo 10:10", "-12d",
           "synne-hovde")
    series(story, "spo2", "95 96 96 97 97 97", "-11mo 10:15", "-12d", "synne-hovde")
    blood_pressure(story, "118/74", "-12d 10:18", "synne-hovde")
    measured(story, "pulse", "76", "-12d 10:19", "synne-hovde")
    measured(story, "weight", "68.4", "-12d 10:20", "synne-hovde")
    laboratory(story, "kontroll", "-12d 10:40", "hb 13.6 leuk 6.9 crp 3 kreat 66", sex="female",
               ordered_by="ingrid-solemdal")
    immunization(story, "influensa", "Influensavaksine", "-5w 10:30", product=None, atc="J07BB02",
                 by="synne-hovde", at=_CLINIC, dose=1)
    _contacts(story, asthma)


def _contacts(story: Story, asthma: str) -> None:
    course = episode(story, "astma", "Biologisk behandling ved lungepoliklinikken", _CLINIC,
                     "-11mo", manager="ingrid-solemdal", conditions=(asthma,))
    care_team(story, "astma", "Behandlingsteam astma", _CLINIC, "-11mo",
              (("Behandlingsansvarlig lege", "ingrid-solemdal"), ("Sykepleier", "synne-hovde")))
    for number, (when, told) in enumerate((
        ("-12w 10:00", ("Ett anfall siste måned mot fire i måneden før behandlingsstart. "
                       "Bruker Ventoline to ganger i uka.")),
        ("-8w 10:00", "Stabil. Ingen kurer med prednisolon på fem måneder."),
        ("-12d 10:00", ("PEF 410. Sover gjennom natten. Ønsker å fortsette, vil ha timer tidlig på "
                       "dagen og inngang uten venterom.")),
    ), start=1):
        visit = encounter(story, f"lungepol-{number}", "ambulatory", "Poliklinisk "
                                                                     "kontroll", _CLINIC,
                          "ingrid-solemdal", when, when[:-2] + "40", reason="Astma",
                          place=_CLINIC, episode=course, diagnoses=(asthma,))
        note(story, f"lungepol-{number}", "outpatient", when[:-2] + "45", "ingrid-solemdal",
             _CLINIC, {"Aktuelt": told, "Tiltak": "Omalizumab 300 mg gitt, observert i 30 "
                                                  "minutter."},
             encounter=visit)
    appointment(story, "lungepol", "Injeksjon og kontroll", _CLINIC, "+16d 08:00", 45,
                by="ingrid-solemdal", instruction="Bruk sideinngangen. Du blir hentet.")
    task(story, "innkalling", "Innkalling gis muntlig, aldri i brev", _CLINIC, "-12d 10:50",
         "+14d 12:00", by="ingrid-solemdal", owner="synne-hovde", status="accepted")
