"""Piotr Zielak, 38: here to work, a D-number and an interpreter, at the legevakt right now."""

# A story is read as a table, one fact a line.
# fmt: off
from __future__ import annotations

from ..contacts import care_team, encounter
from ..home import Place
from ..laboratory import laboratory
from ..measurements import measured
from ..medicines import Dose, order
from ..news2 import Signs, signs_round
from ..notes import note
from ..people import flag, patient
from ..plans import task
from ..problems import condition
from ..story import Story

STORY = "D-nummer og polsk tolk; på legevakten nå med smerter i flanken."
_LEGEVAKT = "trondheim-legevakt"


def tell(story: Story) -> None:
    """Everything in his record."""
    patient(
        story, "Piotr", "Zielak", "male", story.time.birth_date(38, 7, 8),
        Place("Brakkeriggen 12", "7041", "Trondheim", "5001", "Trondheim"), phone="+4710120101",
        language="pl", interpreter=True, d_number=True, citizen_of="PL",
    )
    flag(story, "tolk", "Trenger tolk: polsk", "admin", since="-2d", by="stian-rokseth",
         detail="Telefontolk. Skal ikke oversettes av kollega.")
    colic = condition(story, "nyrestein", "Mistanke om stein i urinleder, venstre", since="-1d",
                      by="amir-rostami", icd10=("N20.1", "Sten i urinleder"),
                      icpc2=("U95", "Stein i urinveiene"), category="encounter-diagnosis")
    eye = condition(story, "oye", "Fremmedlegeme i hornhinne, høyre øye", since="-3mo",
                    until="-3mo", status="resolved", by="amir-rostami",
                    icd10=("T15.0", "Fremmedlegeme i hornhinne"),
                    icpc2=("F76", "Fremmedlegeme i øye"), category="encounter-diagnosis")
    earlier = encounter(story, "oye", "emergency", "Legevaktkonsultasjon", _LEGEVAKT,
                        "amir-rostami", "-3mo 17:00", "-3mo 17:40", reason="Rusk på øyet",
                        place="trondheim-legevakt-rom-4", diagnoses=(eye,), discharged_to="Hjem")
    note(story, "oye", "out-of-hours", "-3mo 17:45", "amir-rostami", _LEGEVAKT, {
        "Aktuelt": "Slipte stål uten briller. Telefontolk brukt.",
        "Tiltak": "Fremmedlegeme fjernet, øyesalve i fem dager, råd om vernebriller.",
    }, encounter=earlier)
    now = encounter(story, "flanke", "emergency", "Legevaktkonsultasjon", _LEGEVAKT,
                    "amir-rostami", "-100min", None, reason="Sterke smerter i venstre flanke",
                    place="trondheim-legevakt-rom-4", diagnoses=(colic,))
    care_team(story, "legevakt", "Legevaktteam", _LEGEVAKT, "-1d",
              (("Behandlingsansvarlig lege", "amir-rostami"), ("Sykepleier", "stian-rokseth")))
    signs_round(story, 1, "-95min", Signs(22, 98, "0", "158/94", 104, "A", "37.3"),
                "stian-rokseth", encounter=now)
    signs_round(story, 2, "-40min", Signs(16, 99, "0", "138/84", 82, "A", "37.2"),
                "stian-rokseth", encounter=now)
    for number, (score, when) in enumerate((("9", "-95min"), ("6", "-60min"), ("3", "-40min")),
                                           start=1):
        measured(story, "pain", score, when, "stian-rokseth", number=number, encounter=now)
    laboratory(story, "legevakt", "-80min", "hb 15.2 crp 6 leuk 10.9 kreat 98", sex="male",
               title="Hurtigprøver", ordered_by="amir-rostami", encounter=now, is_seen=False)
    order(story, "voltaren-50", Dose("1 tablett inntil 3 ganger daglig ved smerter", "1 tablett",
                                     as_needed="Smerter", most=3), "-50min", "Nyresteinsanfall",
          by="amir-rostami", encounter=now, inpatient=False)
    note(story, "flanke", "out-of-hours", "-30min", "amir-rostami", _LEGEVAKT, {
        "Aktuelt": "Plutselige takvise smerter i venstre flanke fra i natt, kaster opp. "
                   "Telefontolk.",
        "Funn": "Urolig, bankeøm over venstre nyre. Afebril. Blod i urin på strimmel.",
        "Vurdering": "Sannsynlig nyrestein. Ingen tegn til infeksjon.",
        "Plan": "Smertelindring, observeres en time\nHenvises CT samme dag hvis ikke smertefri",
    }, encounter=now)
    task(story, "revurdering", "Ny vurdering av smerter", _LEGEVAKT, "-30min", "+1h",
         by="amir-rostami", owner="stian-rokseth", priority="urgent", status="in-progress")
