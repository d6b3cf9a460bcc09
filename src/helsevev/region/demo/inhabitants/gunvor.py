"""Gunvor Hestnes, 79: pneumonia, about to go home with three changes among ten medicines."""

# A story is read as a table, one fact a line.
# fmt: off
from __future__ import annotations

from ..contacts import appointment, care_team, encounter, episode
from ..home import Place
from ..laboratory import laboratory
from ..measurements import measured
from ..medicines import Dose, in_use, order
from ..news2 import Signs, signs_round
from ..notes import note
from ..people import patient, related_person
from ..plans import care_plan, task
from ..problems import allergy, condition
from ..reconciling import reconciled
from ..story import Story
from ..waiting import waits

STORY = "Lungebetennelse, skal hjem i dag: ti legemidler, tre av dem endret under oppholdet."
_WARD = "st-olavs-lunge"
_HOME = "trondheim-hjemmetjeneste-ost"
_HEART = "Forebygging etter hjerteinfarkt"
_LINES = (
    ("selo-zok-50", Dose("1 tablett om morgenen", "1 tablett", "08"), "Hypertensjon"),
    ("atacand-8", Dose("1 tablett om morgenen", "1 tablett", "08"), "Hypertensjon"),
    ("diural-40", Dose("1 tablett om morgenen", "1 tablett", "08"), "Hjertesvikt"),
    ("lipitor-20", Dose("1 tablett om kvelden", "1 tablett", "20"), _HEART),
    ("albyl-e-75", Dose("1 tablett om morgenen", "1 tablett", "08"), _HEART),
    ("calcigran-forte", Dose("1 tyggetablett om kvelden", "1 tyggetablett", "20"), "Osteoporose"),
    ("fosamax-70", Dose("1 tablett hver mandag, fastende", "1 tablett", "07", days="man"),
     "Osteoporose"),
    ("somac-20", Dose("1 tablett om morgenen", "1 tablett", "08"), "Reflukssykdom"),
    ("amlodipin-5", Dose("1 tablett om morgenen", "1 tablett", "08"), "Hypertensjon"),
)  # fmt: skip


def tell(story: Story) -> None:
    """Everything in her record."""
    patient(
        story, "Gunvor", "Hestnes", "female", story.time.birth_date(79, 6, 2),
        Place("Kornblomstvegen 5", "7045", "Trondheim", "5001", "Trondheim"),
        phone="+4710060101", married="enkeEllerEnkemann",
        contacts=(("sønn", "Rune Hestnes", "+4710060102"),),
    )
    related_person(story, "sønn", "Rune", "Hestnes", "+4710060102", sex="male")
    allergy(story, "sulfa", "Trimetoprim-sulfametoksazol", category="medication",
            criticality="low", reaction=("Utslett", "271807003", "mild"), since="-12y",
            by="sigrid-aune", atc=("J01EE01", "Sulfametoksazol og trimetoprim"))
    pneumonia = condition(story, "pneumoni", "Pneumoni", since="-5d", by="ingrid-solemdal",
                          icd10=("J18.9", "Uspesifisert pneumoni"), category="encounter-diagnosis")
    failure = condition(story, "hjertesvikt", "Hjertesvikt", since="-4y", by="sigrid-aune",
                        icd10=("I50.9", "Uspesifisert hjertesvikt"), icpc2=("K77", "Hjertesvikt"))
    condition(story, "hypertensjon", "Hypertensjon", since="-20y", by="sigrid-aune",
              icd10=("I10", "Essensiell hypertensjon"), icpc2=("K86", "Hypertensjon ukomplisert"))
    stay = encounter(
        story, "innleggelse", "inpatient", "Innleggelse", _WARD, "ingrid-solemdal", "-5d 14:00",
        None, reason="Pneumoni og forverret hjertesvikt", place="st-olavs-lunge-rom-312-seng-2",
        diagnoses=(pneumonia, failure),
    )
    _medicines(story, stay)
    _findings(story, stay)
    _contacts(story, stay)


def _medicines(story: Story, stay: str) -> None:
    for product, dose, reason in _LINES:
        in_use(story, product, dose, "-3y", reason)
    for product, at_home, reason in _LINES:
        raised = Dose("1 tablett morgen, 1 tablett kl. 14", "1 tablett", "08 14")
        dose = raised if product == "diural-40" else at_home
        stopped = product == "amlodipin-5"
        order(story, product, dose, "-5d 15:00", reason, by="ingrid-solemdal", encounter=stay,
              status="stopped" if stopped else "active")
        if stopped:
            story.resources[-1]["statusReason"] = {"text": "Lavt blodtrykk"}
    order(story, "prednisolon-20", Dose("1 tablett om morgenen", "1 tablett", "08"), "-2d 10:00",
          "Obstruktiv ved pneumoni", by="ingrid-solemdal", encounter=stay)
    reconciled(story, "innleggelse", "admission", "-5d 15:05", "ingrid-solemdal", stay, tuple(
        ("continue", product, f"{_name(product)}: fortsetter") for product, _dose, _why in _LINES
    ))


def _name(product: str) -> str:
    return product.replace("-", " ").capitalize()


def _findings(story: Story, stay: str) -> None:
    for number, (when, signs) in enumerate((
        ("-5d 14:20", Signs(26, 90, "2.0", "112/60", 104, "A", "38.9")),
        ("-3d 08:00", Signs(20, 94, "1.0", "98/54", 88, "A", "37.6")),
        ("-1d 08:00", Signs(18, 95, "0", "118/66", 80, "A", "37.0")),
        ("-4h", Signs(16, 96, "0", "122/68", 76, "A", "36.8")),
    ), start=1):
        signs_round(story, number, when, signs, "magnus-tverdal", encounter=stay)
    measured(story, "weight", "68.4", "-1d 07:30", "magnus-tverdal", encounter=stay)
    for number, (when, answers) in enumerate((
        ("-5d 14:40", "hb 12.6 leuk 16.2 crp 212 na 135 k 4.3 kreat 92 egfr 54 bnp 3100"),
        ("-1d 07:00", "hb 12.4 leuk 9.1 crp 38 na 138 k 4.1 kreat 88 egfr 57 bnp 1900"),
    ), start=1):
        laboratory(story, f"opphold-{number}", when, answers, sex="female",
                   title="Blodprøver under opphold", ordered_by="ingrid-solemdal", encounter=stay)
    laboratory(story, "for-utreise", "-40min", "na 137 k 6.2 kreat 104", sex="female",
               title="Elektrolytter før utreise", ordered_by="ingrid-solemdal", encounter=stay,
               is_seen=False)


def _contacts(story: Story, stay: str) -> None:
    episode(story, "hjemmetjeneste", "Helsetjenester i hjemmet", _HOME, "-2y",
            manager="berit-lundamo", municipal="15")
    care_team(story, "hjemme", "Team rundt Gunvor", _HOME, "-2y",
              (("Primærkontakt", "berit-lundamo"), ("Fastlege", "sigrid-aune")),
              units=(("Utførende enhet", _HOME),),
              relatives=(("Nærmeste pårørende", f"RelatedPerson/demo-{story.key}-sonn"),))
    note(story, "innkomst", "admission", "-5d 15:10", "ingrid-solemdal", _WARD, {
        "Innleggelsesårsak": "Pneumoni og forverret hjertesvikt.",
        "Funn": "RF 26, SpO₂ 90 % uten oksygen, temp 38,9 °C. Knatring høyre base, ødemer.",
        "Plan": "Antibiotika, oksygen\nØkt furosemid\nAmlodipin holdes ved lavt blodtrykk",
    }, encounter=stay)
    note(story, "visitt", "progress", "-3h", "ingrid-solemdal", _WARD, {
        "Vurdering": "Klar for hjemreise. CRP 38, uten oksygen, vekt ned tre kilo.",
        "Tiltak": "Hjem i dag med hjemmetjeneste\nFurosemid videre 40 mg × 2\n"
                  "Amlodipin seponeres\nPrednisolon i fem dager til",
    }, title="Legevisitt", encounter=stay)
    care_plan(story, "hjemme", "Plan etter utskrivning", "-1d", "magnus-tverdal",
              (("Vekt", "hver morgen i to uker"), ("Blodtrykk", "tre ganger i uka")))
    task(story, "hjemreise", "Gi beskjed til sønnen om hjemreise", _WARD, "-3h", "+6h",
         by="ingrid-solemdal", owner="magnus-tverdal")
    waits(story, "beskjed", ("message", "Beskjed"),
          "Sønnen ringte: han kan hente henne etter klokken 15, og lurer på om stolen er bestilt.",
          _WARD, "-40min", "+3h", by="ingrid-solemdal", owner="magnus-tverdal",
          passed_on=(("+7h", _WARD),))
    note(story, "vaktrapport", "nursing", "-14h", "magnus-tverdal", _WARD, {
        "Aktuell tilstand": "Rolig kveld. Går til toalettet med rullator. Ikke oksygen.",
        "Råd og plan": "Vekt før frokost. Ring sønnen når legen har vært der.",
    }, title="Vaktrapport")
    appointment(story, "blodprove", "Kreatinin og kalium hos fastlege", "fjordgata-legesenter",
                "+7d 09:30", 15, by="sigrid-aune")
