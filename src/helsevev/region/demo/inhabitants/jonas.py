"""Jonas Wikan, 34: depressed, referred, accepted, and waiting for a first talk."""

# A story is read as a table, one fact a line.
# fmt: off
from __future__ import annotations

from ..contacts import appointment, care_team, encounter, episode
from ..home import Place
from ..laboratory import laboratory
from ..measurements import GAD7, PHQ9, blood_pressure, measured, trend
from ..medicines import Dose, in_use
from ..notes import document, note
from ..people import flag, patient
from ..plans import care_plan, service_request, task
from ..problems import allergy, condition, goal
from ..story import Story

STORY = "Moderat depresjon, henvist og gitt rett til hjelp; venter på første samtale ved DPS."
_GP = "fjordgata-legesenter"
_DPS = "nidaro-dps"


def tell(story: Story) -> None:
    """Everything in his record."""
    patient(
        story, "Jonas", "Wikan", "male", story.time.birth_date(34, 6, 30),
        Place("Kobberstien 3 A", "7030", "Trondheim", "5001", "Trondheim"), phone="+4710050101",
        married="ugift", contacts=(("søster", "Maren Wikan", "+4710050102"),),
    )
    flag(story, "kriseplan", "Har kriseplan, ring søster ved forverring", "clinical", since="-24d",
         by="sigrid-aune")
    allergy(
        story, "notter", "Peanøtter", category="food", criticality="high",
        reaction=("Hevelse i lepper og svelg", "41291007", "severe"), since="-25y",
        by="sigrid-aune", snomed=("762952008", "Peanøtt"),
    )
    depression = condition(
        story, "depresjon", "Moderat depressiv episode", since="-5mo", by="sigrid-aune",
        icd10=("F32.1", "Moderat depressiv episode"), icpc2=("P76", "Depressiv lidelse"),
    )
    condition(story, "sovn", "Søvnvansker", since="-5mo", by="sigrid-aune",
              icd10=("F51.0", "Ikke-organisk insomni"), icpc2=("P06", "Søvnforstyrrelse"))
    in_use(story, "sertralin-50", Dose("1 tablett om morgenen", "1 tablett", "08"), "-10w",
           "Depresjon", prescribed=True)
    in_use(story, "imovane-3-75", Dose("1 tablett til natten ved behov", "1 tablett",
                                       as_needed="Søvnvansker", most=1), "-5mo", "Søvnvansker",
           status="stopped", until="-10w", why="Tilvenningsfare", course="3")
    _measurements(story)
    _contacts(story, depression)
    _waiting(story, depression)


def _measurements(story: Story) -> None:
    for number, (score, when) in enumerate(
        (("16", "-5mo 13:00"), ("18", "-10w 13:00"), ("17", "-6w 13:00"), ("15", "-24d 13:00")),
        start=1,
    ):
        measured(story, PHQ9, score, when, "sigrid-aune", number=number, slug="phq9")
    for number, (score, when) in enumerate((("11", "-10w 13:05"), ("12", "-24d 13:05")), start=1):
        measured(story, GAD7, score, when, "sigrid-aune", number=number, slug="gad7")
    trend(story, "weight", [84.0, 82.5, 79.4, 78.2], "-2y 12:40", "-24d", 9, "sigrid-aune",
          wobble=0.4)
    blood_pressure(story, "126/78", "-24d 12:45", "sigrid-aune")
    measured(story, "pulse", "72", "-24d 12:46", "sigrid-aune")
    laboratory(story, "utredning", "-5mo 13:20",
               "hb 15.1 tsh 1.8 t4 15.2 b12 412 ferritin 121 kreat 84 alat 28 glu 5.1", sex="male",
               title="Blodprøver ved tretthet", conclusion="Ingen somatisk forklaring.")


def _contacts(story: Story, depression: str) -> None:
    visits = (
        ("-5mo 13:00", ("Tretthet og nedstemthet siden permittering. Sover fire timer. Ingen "
                       "selvmordstanker."), "Blodprøver, samtale om søvn og døgnrytme."),
        ("-10w 13:00", ("Verre. Klarer ikke jobbe. Grubler mye. Tanker om at det hadde vært like "
                        "greit "
                       "å ikke våkne, ingen planer."), "Sertralin 50 mg, henvises DPS, kriseplan."),
        ("-6w 13:00", "Tåler medisinen. Litt mer energi om formiddagen.", "Fortsetter, ny time."),
        ("-24d 13:00", "PHQ-9 15. Sover bedre. Fortvilet over ventetiden. Ingen selvmordstanker.",
         "Purrer DPS. Ny time om fire uker."),
    )
    for number, (when, told, plan) in enumerate(visits, start=1):
        visit = encounter(story, f"fastlege-{number}", "ambulatory", "Konsultasjon hos fastlege",
                          _GP, "sigrid-aune", when, when[:-2] + "30", reason="Nedstemthet",
                          place=_GP, diagnoses=(depression,))
        note(story, f"fastlege-{number}", "progress", when[:-2] + "35", "sigrid-aune", _GP,
             {"Aktuelt": told, "Plan": plan}, encounter=visit)


def _waiting(story: Story, depression: str) -> None:
    referral = service_request(
        story, "dps", "Utredning og behandling av depresjon", "Henvisning", "-10w 13:40",
        by="sigrid-aune", to=_DPS, reason="Moderat depressiv episode", wanted="+18d 12:00",
        note="Vurdert: rett til helsehjelp. Frist for start om 18 dager.",
    )
    episode(story, "dps", "Voksenpoliklinikk, venter på første samtale", _DPS, "-9w",
            status="waitlist", manager="henrik-vang", conditions=(depression,))
    care_team(story, "dps", "Behandlingsteam psykisk helse", _DPS, "-9w",
              (("Behandler", "henrik-vang"), ("Fastlege", "sigrid-aune")))
    note(story, "rettighetsvurdering", "progress", "-9w 10:00", "henrik-vang", _DPS, {
        "Vurdering": "Fyller vilkårene for rett til nødvendig helsehjelp i "
                     "spesialisthelsetjenesten.",
        "Frist": "Helsehjelpen skal starte innen tolv uker.",
    }, title="Vurdering av henvisning")
    document(story, "henvisning", "referral", "Henvisning til DPS", "-10w 13:45", "sigrid-aune",
             _GP, "Mann 34 år med moderat depressiv episode, PHQ-9 18, GAD-7 11. Sertralin "
                  "startet. "
                  "Ikke akutt selvmordsfare. Ber om samtalebehandling.")
    appointment(story, "forste", "Første samtale", _DPS, "+11d 09:00", 60, by="henrik-vang",
                based_on=referral, instruction="Du kan svare på kartleggingsskjemaet før timen.")
    appointment(story, "avlyst", "Første samtale, avlyst av poliklinikken", _DPS, "-12d 09:00", 60,
                by="henrik-vang", status="cancelled", based_on=referral)
    appointment(story, "fastlege", "Kontroll hos fastlege", _GP, "+4d 13:00", 20, by="sigrid-aune")
    task(story, "venteliste", "Tilby første ledige time etter avbud", _DPS, "-12d 10:00",
         "+6d 15:00", by="henrik-vang", owner="tove-kvernmo", priority="urgent",
         status="in-progress", based_on=referral)
    back = goal(story, "jobb", "Tilbake i halv stilling innen tre måneder", "-24d")
    care_plan(story, "krise", "Kriseplan", "-24d", "sigrid-aune",
              (("Varselstegn", "ligger våken hele natten, svarer ikke på meldinger"),
               ("Ring først", "søster Maren"), ("Deretter", "fastlege på dagtid, legevakt 116 117"),
               ("Hjelper", "turer med hunden til naboen")), goals=(back,),
              conditions=(depression,))
