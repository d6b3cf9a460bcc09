"""Eira Nordli, seven months: born eleven weeks early, followed by health station and hospital."""

# A story is read as a table, one fact a line.
# fmt: off
from __future__ import annotations

from datetime import timedelta

from ..contacts import appointment, care_team, encounter, episode
from ..home import Place
from ..laboratory import laboratory
from ..measurements import MEASURES, measured
from ..medicines import Dose, in_use
from ..notes import document, note
from ..people import flag, patient, related_person
from ..plans import care_plan, task
from ..problems import condition, goal, immunization, procedure
from ..story import Story

STORY = "Født i uke 29+4, sju måneder nå; helsestasjon og sykehus følger veksten sammen."
_STATION = "trondheim-helsestasjon-ost"
_WARD = "st-olavs-nyfodt"
_CLINIC = "st-olavs-barnepol"
# Days from birth -> weight (kg), length (cm), head (cm), and who measured.
_GROWTH = """
    0 1.310 39.0 27.0 oda-reitan
    4 1.205 - - oda-reitan
    7 1.240 39.2 27.2 oda-reitan
    14 1.395 40.1 27.9 oda-reitan
    21 1.560 41.0 28.8 oda-reitan
    28 1.755 41.9 29.7 oda-reitan
    35 1.960 42.8 30.6 oda-reitan
    42 2.170 43.7 31.4 oda-reitan
    49 2.390 44.6 32.2 oda-reitan
    56 2.605 45.4 32.9 oda-reitan
    64 2.840 46.3 33.6 oda-reitan
    71 3.020 47.0 34.2 karianne-fossum
    80 3.285 48.1 34.9 karianne-fossum
    92 3.690 49.6 35.8 lars-kolberg
    106 4.180 51.5 36.9 karianne-fossum
    120 4.610 53.2 37.8 karianne-fossum
    137 5.090 55.4 38.8 karianne-fossum
    154 5.520 57.1 39.6 lars-kolberg
    168 5.860 58.6 40.2 karianne-fossum
    186 6.240 60.2 40.9 karianne-fossum
    205 6.610 61.9 41.6 karianne-fossum
"""


def tell(story: Story) -> None:
    """Everything in her record."""
    _person(story)
    born_early = _problems(story)
    _growth(story)
    _treatment(story)
    _contacts(story, born_early)
    _plans(story, born_early)


def _day(days: int, clock: str = "") -> str:
    """The offset of a day of life; she was born 214 days before today."""
    return f"-{214 - days}d {clock}".rstrip()


def _person(story: Story) -> None:
    born = story.time.today - timedelta(days=214)
    patient(
        story, "Eira", "Nordli", "female", born,
        Place("Steinsprangvegen 15", "7048", "Trondheim", "5001", "Trondheim"),
        contacts=(("mor", "Ida Nordli", "+4710040101"), ("far", "Jon Nordli", "+4710040102")),
    )
    related_person(story, "mor", "Ida", "Nordli", "+4710040101", sex="female",
                   born=story.time.birth_date(32, 5, 20))
    related_person(story, "far", "Jon", "Nordli", "+4710040102", sex="male",
                   born=story.time.birth_date(34, 1, 9))
    flag(story, "korrigert-alder", "Prematur: bruk korrigert alder (73 dager yngre)", "clinical",
         since=_day(0), by="oda-reitan", detail="Termin var 73 dager etter fødselen.")
    flag(story, "rs-virus", "Utsatt for RS-virus, unngå smitte på venterom", "safety",
         since=_day(64), by="oda-reitan")


def _problems(story: Story) -> str:
    born_early = condition(
        story, "prematur", "Prematurt født, gestasjonsuke 29+4", since=_day(0), by="oda-reitan",
        icd10=("P07.3", "Annet for tidlig født barn"),
        icpc2=("A93", "Prematurt/immaturt født barn"), note="Fødselsvekt 1310 g.",
    )
    condition(story, "rds", "Respiratorisk distressyndrom", since=_day(0), until=_day(9),
              status="resolved", by="oda-reitan",
              icd10=("P22.0", "Respiratorisk distressyndrom hos nyfødt"))
    condition(story, "gulsott", "Gulsott ved for tidlig fødsel", since=_day(2), until=_day(8),
              status="resolved", by="oda-reitan",
              icd10=("P59.0", "Gulsott hos nyfødt i forbindelse med for tidlig fødsel"))
    condition(story, "anemi", "Prematuritetsanemi", since=_day(35), until=_day(150),
              status="resolved", by="oda-reitan", icd10=("P61.2", "Prematuritetsanemi"))
    return born_early


def _growth(story: Story) -> None:
    rows = [line.split() for line in _GROWTH.strip().split("\n")]
    for number, (age, weight, length, head, by) in enumerate(rows, start=1):
        minute = number % 6
        for what, value in (("baby-weight", weight), ("length", length), ("head", head)):
            if value != "-":
                measured(story, what, value, _day(int(age), f"10:{minute}0"), by, number=number)
    for number, (days, spo2, pulse, temperature) in enumerate((
        (0, "88", "168", "36.1"), (1, "91", "160", "36.6"), (3, "93", "156", "36.8"),
        (7, "95", "152", "36.9"), (14, "96", "150", "36.8"), (28, "97", "148", "36.9"),
        (42, "97", "144", "36.8"), (63, "98", "140", "36.9"),
    ), start=1):
        at = _day(days, "18:20")
        measured(story, "temperature", temperature, at, "oda-reitan", number=number)
        for what, value, code in (("spo2", spo2, "Oksygenmetning"), ("pulse", pulse, "Puls")):
            _infant(story, what, value, at, number, code)


def _infant(story: Story, what: str, value: str, at: str, number: int, text: str) -> None:
    """A value judged by an infant's range, which the adult's would call abnormal."""
    low, high = ("90", "98") if what == "spo2" else ("120", "170")
    measure = MEASURES[what]._replace(low=low, high=high, text=text)
    measured(story, measure, value, at, "oda-reitan", number=number, slug=what)


def _treatment(story: Story) -> None:
    procedure(story, "surfaktant", "Surfaktant gitt via tynt kateter", _day(0, "11:40"),
              by="oda-reitan", at=_WARD)
    procedure(story, "cpap", "CPAP i ni døgn", _day(0, "11:10"), by="oda-reitan", at=_WARD)
    procedure(story, "lysbehandling", "Lysbehandling i tre døgn", _day(2, "09:00"),
              by="oda-reitan", at=_WARD)
    procedure(story, "ul-hode", "Ultralyd av hodet: ingen blødning", _day(7, "13:00"),
              by="oda-reitan", at=_WARD)
    laboratory(story, "dag-2", _day(2, "07:00"), "hb 17.2 bili 168 crp 2", sex="female",
               ordered_by="oda-reitan")
    laboratory(story, "dag-35", _day(35, "08:00"), "hb 9.4 ferritin 62", sex="female",
               ordered_by="oda-reitan")
    laboratory(story, "dag-92", _day(92, "10:30"), "hb 10.6 ferritin 48", sex="female",
               ordered_by="lars-kolberg")
    laboratory(story, "dag-154", _day(154, "10:30"), "hb 11.9 ferritin 57", sex="female",
               ordered_by="lars-kolberg")
    in_use(story, "d-vitamindraper", Dose("5 dråper daglig", "5 dråpe", "09"), _day(14),
           "Forebygging av D-vitaminmangel", by="oda-reitan")
    in_use(story, "jernmikstur", Dose("1 mL daglig", "1 mL", "09"), _day(42), "Prematuritetsanemi",
           by="oda-reitan", status="completed", until=_day(154), why="Normal Hb og ferritin")
    vaccines = (
        ("rota-1", "Rotavirusvaksine", 44, ("ROT01_001", "Rotarix"), "J07BH01", 1, None),
        ("seks-1", "Difteri, stivkrampe, kikhoste, polio, Hib og hepatitt B", 92,
         ("KOM09_001", "Infanrix Hexa"), "J07CA09", 1, "Lår"),
        ("pkv-1", "Pneumokokkvaksine", 92, ("PNE13_001", "Prevenar 13"), "J07AL02", 1, "Lår"),
        ("rota-2", "Rotavirusvaksine", 92, ("ROT01_001", "Rotarix"), "J07BH01", 2, None),
        ("seks-2", "Difteri, stivkrampe, kikhoste, polio, Hib og hepatitt B", 154,
         ("KOM09_001", "Infanrix Hexa"), "J07CA09", 2, "Lår"),
        ("pkv-2", "Pneumokokkvaksine", 154, ("PNE13_001", "Prevenar 13"), "J07AL02", 2, "Lår"),
    )
    for slug, text, days, product, atc, dose, site in vaccines:
        immunization(story, slug, text, _day(days, "11:00"), product=product, atc=atc,
                     by="oda-reitan" if days == 44 else "karianne-fossum",
                     at=_WARD if days == 44 else _STATION, dose=dose, site=site)


def _contacts(story: Story, born_early: str) -> None:
    episode(story, "nyfodt", "Nyfødtintensiv", _WARD, _day(0), until=_day(64),
            manager="oda-reitan", conditions=(born_early,))
    episode(story, "oppfolging", "Oppfølging av for tidlig fødte", _CLINIC, _day(64),
            manager="lars-kolberg", conditions=(born_early,))
    station = episode(story, "helsestasjon", "Helsestasjonsprogrammet", _STATION, _day(64),
                      manager="karianne-fossum")
    care_team(story, "barn", "Team rundt Eira", _STATION, _day(64),
              (("Helsesykepleier", "karianne-fossum"), ("Barnelege", "lars-kolberg"),
               ("Fastlege", "sigrid-aune")),
              relatives=(("Mor", "RelatedPerson/demo-eira-mor"),
                         ("Far", "RelatedPerson/demo-eira-far")))
    stay = encounter(story, "nyfodt", "inpatient", "Innleggelse", _WARD, "oda-reitan",
                     _day(0, "10:50"), _day(64, "14:00"), reason="For tidlig fødsel",
                     place="st-olavs-nyfodt", diagnoses=(born_early,), discharged_to="Hjem")
    note(story, "epikrise", "discharge", _day(64, "13:00"), "oda-reitan", _WARD, {
        "Forløp": "Født med keisersnitt i uke 29+4 på grunn av svangerskapsforgiftning hos mor. "
                  "Apgar 5-7-8. Surfaktant, CPAP i ni døgn. Lysbehandling. Full melk fra dag 12.",
        "Ved utskrivning": "Vekt 2840 g, lengde 46,3 cm, hode 33,6 cm. Spiser alt selv. "
                           "Ultralyd av hodet normal. Øyeundersøkelse uten funn.",
        "Oppfølging": "Barnepoliklinikken ved korrigert alder 3 uker, 3, 6 og 12 måneder\n"
                      "Helsestasjon med vekt hver uke i starten\nVaksiner etter kronologisk alder",
    }, encounter=stay)
    visits = (
        (71, "home", "Hjemmebesøk av helsesykepleier", ("Vekt opp 180 g på en uke. Ammes og får "
                                                        "litt "
         "tillegg. Foreldrene er slitne, men trygge. Snakket om søvn og smittevern.")),
        (106, "ambulatory", "Konsultasjon helsestasjon", ("God vektøkning. Fester blikket. Mor "
         "fullammer.")),
        (137, "ambulatory", "Konsultasjon helsestasjon", ("Løfter hodet, smiler. Følger sin kurve "
         "med korrigert alder.")),
        (168, "ambulatory", "Konsultasjon helsestasjon", ("Griper etter ting. Snakket om fast føde "
         "ved korrigert alder fire til seks måneder.")),
        (205, "ambulatory", "Konsultasjon helsestasjon", ("Ruller fra rygg til mage. Spiser grøt "
                                                          "to "
         "ganger daglig. Vektøkningen er litt lavere siste måned, men følger kurven.")),
    )
    for number, (days, kind, text, told) in enumerate(visits, start=1):
        visit = encounter(story, f"helsestasjon-{number}", kind, text, _STATION, "karianne-fossum",
                          _day(days, "10:00"), _day(days, "10:45"), episode=station)
        note(story, f"helsestasjon-{number}", "health-station", _day(days, "10:50"),
             "karianne-fossum", _STATION, {"Observasjon": told}, title=text, encounter=visit)
    for number, (days, told) in enumerate((
        (92, ("Korrigert alder 3 uker. God tonus, symmetriske bevegelser. Hb 10,6, fortsetter "
             "jern.")),
        (154, ("Korrigert alder knapt 3 måneder. Alderssvarende motorikk når det korrigeres. Jern "
              "seponeres.")),
    ), start=1):
        visit = encounter(story, f"barnepol-{number}", "ambulatory", "Poliklinisk kontroll",
                          _CLINIC, "lars-kolberg", _day(days, "10:00"), _day(days, "10:40"),
                          reason="Kontroll etter for tidlig fødsel", place=_CLINIC)
        note(story, f"barnepol-{number}", "outpatient", _day(days, "10:45"), "lars-kolberg",
             _CLINIC, {"Vurdering": told, "Plan": "Kontroll som avtalt."}, encounter=visit)
    document(story, "fodsel", "maternity", "Melding om fødsel", _day(0, "16:00"), "oda-reitan",
             _WARD, "Levendefødt jente, 1310 g, gestasjonsuke 29+4, keisersnitt. Overflyttet "
                    "nyfødtintensiv ti minutter etter fødselen.")


def _plans(story: Story, born_early: str) -> None:
    growing = goal(story, "vekst", "Følger sin egen vekstkurve med korrigert alder", _day(64))
    care_plan(story, "vekst", "Vekst og utvikling første leveår", _day(64), "karianne-fossum",
              (("Vekt, lengde og hodeomkrets", "hver måned på helsestasjonen"),
               ("Motorisk utvikling", "barnepoliklinikken ved 6 og 12 måneder korrigert"),
               ("Syn og hørsel", "vurderes ved 10 måneder")), goals=(growing,),
              conditions=(born_early,))
    appointment(story, "barnepol", "Barnepoliklinikken, 6 måneder korrigert", _CLINIC,
                "+46d 09:30", 45, by="lars-kolberg")
    appointment(story, "helsestasjon", "Helsestasjon, 8 måneder", _STATION, "+13d 10:00", 30,
                by="karianne-fossum")
    task(story, "vekt", "Ekstra vekt om to uker: lavere økning siste måned", _STATION, "-9d 11:00",
         "+5d 15:00", by="lars-kolberg", owner="karianne-fossum", status="accepted")
