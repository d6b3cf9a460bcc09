"""Sander Lium, 15: asthma and pollen, and talks with the school nurse that are his own."""

# A story is read as a table, one fact a line.
# fmt: off
from __future__ import annotations

from ..contacts import appointment, care_team, encounter, episode
from ..home import Place
from ..measurements import blood_pressure, measured, series
from ..medicines import Dose, in_use
from ..notes import note
from ..people import patient, related_person
from ..plans import task
from ..problems import allergy, condition, immunization
from ..story import Story

STORY = "Astma og pollenallergi; samtaler med helsesykepleier på skolen som foreldre ikke ser."
_STATION = "trondheim-helsestasjon-ost"
_LEGEVAKT = "trondheim-legevakt"
_GROWTH = (
    (0, "3.610", "51.0"), (1, "9.900", "76.5"), (2, "12.600", "88.0"), (4, "16.800", "104.0"),
    (6, "21.200", "117.0"), (8, "26.400", "129.5"), (10, "32.900", "140.0"),
    (13, "45.600", "158.5"),
)


def tell(story: Story) -> None:
    """Everything in his record."""
    born = story.time.birth_date(15, 8, 11)
    patient(
        story, "Sander", "Lium", "male", born,
        Place("Tangentveien 30", "7046", "Trondheim", "5001", "Trondheim"), phone="+4710090101",
        contacts=(("mor", "Anja Lium", "+4710090102"), ("far", "Tor Lium", "+4710090103")),
    )
    related_person(story, "mor", "Anja", "Lium", "+4710090102", sex="female")
    related_person(story, "far", "Tor", "Lium", "+4710090103", sex="male")
    allergy(
        story, "pollen", "Bjørkepollen", category="environment", criticality="low",
        reaction=("Rennende øyne og nese", "418689008", "moderate"), since="-9y",
        by="sigrid-aune",
    )
    asthma = condition(story, "astma", "Astma", since="-9y", by="sigrid-aune",
                       icd10=("J45.0", "Hovedsakelig allergisk astma"), icpc2=("R96", "Astma"))
    condition(story, "hodepine", "Spenningshodepine", since="-10w", by="karianne-fossum",
              icpc2=("N95", "Tensjonshodepine"))
    in_use(story, "flutide-50", Dose("1 inhalasjon morgen og kveld", "1 inhalasjon", "08 20"),
           "-4y", "Astma")
    in_use(story, "ventoline", Dose("1–2 inhalasjoner ved behov og før trening", "1 inhalasjon",
                                    as_needed="Tungpust", most=8), "-9y", "Astma", course="3")
    in_use(story, "aerius-5", Dose("1 tablett daglig i pollensesongen", "1 tablett", "08"), "-5y",
           "Pollenallergi", status="on-hold", why="Utenfor sesong")
    for number, (years, weight, height) in enumerate(_GROWTH, start=1):
        birthday = born.replace(year=born.year + years)
        when = f"-{(story.time.today - birthday).days}d 10:0{number}"
        measured(story, "baby-weight", weight, when, "karianne-fossum", number=number)
        measured(story, "height", height, when, "karianne-fossum", number=number)
    measured(story, "weight", "58.4", "-10w 12:10", "karianne-fossum")
    measured(story, "height", "172.5", "-10w 12:11", "karianne-fossum", number=20)
    blood_pressure(story, "114/66", "-10w 12:12", "karianne-fossum")
    series(story, "peak-flow", "230 410 430 440", "-5mo 21:30", "-4mo", "sigrid-aune")
    _vaccines(story)
    _contacts(story, asthma)


def _vaccines(story: Story) -> None:
    for slug, text, when, product, atc, dose in (
        ("mmr-1", "Meslinger, kusma og røde hunder", "-14y 10:30", ("MMR52_002", "Priorix"),
         "J07BD52", 1),
        ("mmr-2", "Meslinger, kusma og røde hunder", "-4y 10:30", ("MMR52_002", "Priorix"),
         "J07BD52", 2),
        ("hpv-1", "HPV-vaksine", "-3y 10:30", ("HPV02_001", "Cervarix"), "J07BM02", 1),
        ("hpv-2", "HPV-vaksine", "-29mo 10:30", ("HPV02_001", "Cervarix"), "J07BM02", 2),
    ):
        immunization(story, slug, text, when, product=product, atc=atc, by="karianne-fossum",
                     at=_STATION, dose=dose)


def _contacts(story: Story, asthma: str) -> None:
    school = episode(story, "skolehelse", "Skolehelsetjenesten", _STATION, "-9y",
                     manager="karianne-fossum")
    care_team(story, "skole", "Skolehelse", _STATION, "-9y",
              (("Helsesykepleier", "karianne-fossum"), ("Fastlege", "sigrid-aune")),
              relatives=(("Mor", "RelatedPerson/demo-sander-mor"),))
    attack = encounter(story, "legevakt", "emergency", "Legevaktkonsultasjon", _LEGEVAKT,
                       "amir-rostami", "-5mo 21:00", "-5mo 23:10", reason="Astmaanfall",
                       place="trondheim-legevakt-rom-4", diagnoses=(asthma,), discharged_to="Hjem")
    note(story, "legevakt", "out-of-hours", "-5mo 23:00", "amir-rostami", _LEGEVAKT, {
        "Aktuelt": "Tiltagende tungpust etter fotballkamp. Hadde ikke inhalatoren med.",
        "Funn": "RF 28, SpO₂ 93 %, PEF 230. Pipelyder over begge lunger.",
        "Tiltak": "Salbutamol på forstøver to ganger, prednisolon. PEF 410 ved hjemreise.\n"
                  "Kontroll hos fastlege innen en uke",
    }, encounter=attack)
    for number, (when, title, told) in enumerate((
        ("-10w 12:00", "Samtale på skolen", ("Hodepine de fleste skoledager, sover seks timer. Mye "
                                            "press foran tentamen. Snakket om søvn og "
                                            "skjermbruk.")),
        ("-4w 12:00", "Samtale på skolen", ("Hodepinen er sjeldnere. Har vært lei seg etter brudd "
                                            "med "
                                           "kjæreste. Vil ikke at foreldrene skal vite om dette.")),
    ), start=1):
        visit = encounter(story, f"skole-{number}", "ambulatory", title, _STATION,
                          "karianne-fossum", when, when[:-2] + "30", reason="Eget ønske",
                          episode=school)
        note(story, f"skole-{number}", "health-station", when[:-2] + "40", "karianne-fossum",
             _STATION, {"Samtale": told}, title=title, encounter=visit)
    appointment(story, "skole", "Samtale på skolen", _STATION, "+2d 12:00", 30,
                by="karianne-fossum")
    task(story, "vaksine", "Tilby dTP-polio-vaksine, 10. trinn", _STATION, "-4w 13:00", "+10w",
         by="karianne-fossum", owner="karianne-fossum")
