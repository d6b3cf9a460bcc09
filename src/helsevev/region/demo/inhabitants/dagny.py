"""Dagny Fjeldvær, 89: Alzheimer's disease, eight months in a nursing home."""

# A story is read as a table, one fact a line.
# fmt: off
from __future__ import annotations

from ..contacts import appointment, care_team, encounter, episode
from ..home import Place
from ..laboratory import laboratory_series
from ..measurements import blood_pressures, measured, series, trend
from ..medicines import Dose, in_use, order
from ..notes import note
from ..people import flag, patient, related_person
from ..plans import care_plan, task
from ..problems import allergy, condition, goal, immunization
from ..story import Story

STORY = "Alzheimers sykdom, bor på sykehjem; hadde hjemmetjeneste før."
_HOME = "trondheim-hjemmetjeneste-ost"
_WARD = "trondheim-bakkehaugen-2"


def tell(story: Story) -> None:
    """Everything in her record."""
    patient(
        story, "Dagny", "Fjeldvær", "female", story.time.birth_date(89, 12, 5),
        Place("Bakkehaugen 1", "7051", "Trondheim", "5001", "Trondheim"),
        married="enkeEllerEnkemann", contacts=(("sønn", "Knut Fjeldvær", "+4710070101"),),
    )
    related_person(story, "sønn", "Knut", "Fjeldvær", "+4710070101", sex="male")
    flag(story, "samtykke", "Mangler samtykkekompetanse for legemidler, sønn informeres",
         "advance-directive", since="-7mo", by="torstein-lien",
         detail="Vedtak vurderes på nytt hver tredje måned.")
    flag(story, "hlr", "HLR-minus, avklart med pårørende", "advance-directive", since="-7mo",
         by="torstein-lien")
    flag(story, "svelging", "Svelgvansker: moset kost, fortykket drikke", "safety", since="-10w",
         by="annemette-brekken")
    allergy(
        story, "sulfa", "Trimetoprim-sulfa", category="medication", criticality="low",
        reaction=("Utslett", "271807003", "moderate"), since="-17y", by="sigrid-aune",
        atc=("J01EE01", "Sulfametoksazol og trimetoprim"),
    )
    dementia = condition(
        story, "demens", "Demens ved Alzheimers sykdom med sen debut", since="-5y",
        by="sigrid-aune", icd10=("F00.1", "Demens ved Alzheimers sykdom med sen debut"),
        icpc2=("P70", "Demens"),
    )
    condition(story, "forstoppelse", "Forstoppelse", since="-3y", by="torstein-lien",
              icd10=("K59.0", "Forstoppelse"), icpc2=("D12", "Forstoppelse"))
    condition(story, "hypertensjon", "Hypertensjon", since="-25y", until="-5mo", status="inactive",
              by="sigrid-aune", icd10=("I10", "Essensiell hypertensjon"),
              icpc2=("K86", "Hypertensjon ukomplisert"))
    _medicines(story)
    _measurements(story)
    _contacts(story, dementia)


def _medicines(story: Story) -> None:
    for product, dose, since, reason in (
        ("paracet-500", Dose("2 tabletter 3 ganger daglig, knuses", "2 tablett", "08 14 20"),
         "-6mo", "Smerter i hofte"),
        ("movicol", Dose("1 dosepose om morgenen", "1 dosepose", "08"), "-3y", "Forstoppelse"),
        ("mirtazapin-15", Dose("1 tablett om kvelden", "1 tablett", "20"), "-6mo",
         "Nedstemthet og dårlig matlyst"),
        ("oxynorm-5", Dose("1 kapsel morgen og kveld", "1 kapsel", "08 20"), "-3w",
         "Smerter i hofte"),
    ):
        behind = order(story, product, dose, since, reason, by="torstein-lien",
                       encounter="Encounter/demo-dagny-kontakt-opphold")
        in_use(story, product, dose, since, reason, by="torstein-lien", behind=behind)
    in_use(story, "donepezil-10", Dose("1 tablett om kvelden", "1 tablett", "20"), "-4y",
           "Alzheimers sykdom", status="stopped", until="-5mo", by="torstein-lien",
           why="Langtkommet sykdom, vekttap")
    in_use(story, "amlodipin-5", Dose("1 tablett om morgenen", "1 tablett", "08"), "-14y",
           "Høyt blodtrykk", status="stopped", until="-5mo", by="torstein-lien",
           why="Lavt blodtrykk og svimmelhet")


def _measurements(story: Story) -> None:
    trend(story, "weight", [61.5, 58.0, 54.2, 51.6, 51.9], "-3y 10:00", "-3d", 40,
          "annemette-brekken", wobble=0.4)
    measured(story, "height", "156.0", "-8mo 10:05", "annemette-brekken")
    measured(story, "bmi", "21.3", "-3d 10:05", "annemette-brekken")
    blood_pressures(story, "152/84 148/82 138/78 112/64 106/60 124/70 128/72 130/74",
                    "-3y 10:10", "-3d", "annemette-brekken")
    trend(story, "pulse", [74, 70, 72], "-8mo 10:12", "-3d", 10, "annemette-brekken", wobble=4)
    series(story, "temperature", "36.6 36.8 36.5", "-8w 10:15", "-3d", "annemette-brekken")
    laboratory_series(story, "kontroll", "-3y 09:00", "-5mo", """
        hb 12.9 crp 4 kreat 72 egfr 68 na 140 k 4.1 b12 330 tsh 2.1
        hb 12.6 crp 3 kreat 75 egfr 64 na 139 k 4.2 b12 290 tsh 2.4
        hb 12.1 crp 8 kreat 79 egfr 60 na 138 k 4.0 b12 260 alb 33
        """, sex="female", title="Kontrollprøver")
    immunization(story, "influensa", "Influensavaksine", "-6w 11:00", product=None, atc="J07BB02",
                 by="annemette-brekken", at=_WARD, dose=1)


def _contacts(story: Story, dementia: str) -> None:
    episode(story, "hjemmetjeneste", "Helsetjenester i hjemmet", _HOME, "-4y", until="-8mo",
            manager="berit-lundamo", municipal="15")
    course = episode(story, "sykehjem", "Langtidsopphold i institusjon", _WARD, "-8mo",
                     manager="annemette-brekken", municipal="21", conditions=(dementia,))
    care_team(story, "avdeling", "Team på avdeling 2", _WARD, "-8mo",
              (("Primærkontakt", "annemette-brekken"), ("Sykehjemslege", "torstein-lien")),
              relatives=(("Nærmeste pårørende", f"RelatedPerson/demo-{story.key}-sonn"),))
    stay = encounter(story, "opphold", "inpatient", "Langtidsopphold", _WARD, "torstein-lien",
                     "-8mo 11:00", None, reason="Demens, trenger heldøgns omsorg",
                     place="trondheim-bakkehaugen-2-rom-8", episode=course, diagnoses=(dementia,))
    home = encounter(story, "hjemmebesok", "home", "Hjemmebesøk", _HOME, "berit-lundamo",
                     "-9mo 09:00", "-9mo 09:40", reason="Tilsyn")
    note(story, "hjemmebesok", "home-visit", "-9mo 09:45", "berit-lundamo", _HOME, {
        "Observasjon": "Komfyren sto på, kald mat på benken fra i går. Finner ikke badet. Datoen "
                       "er "
                       "ukjent for henne.",
        "Tiltak": "Melder behov for heldøgns plass, komfyrvakt bestilt.",
    }, encounter=home)
    for slug, when, title, text in (
        ("arsvurdering", "-5mo 13:00", "Legemiddelgjennomgang",
         "Donepezil og amlodipin seponeres. Blodtrykk 106/60 og svimmel når hun reiser seg."),
        ("smerte", "-4w 13:00", "Tilsyn",
         ("Ømmer seg ved stell av venstre hofte. Ingen feilstilling, går som før. Paracetamol "
         "fast.")),
    ):
        note(story, slug, "progress", when, "torstein-lien", _WARD, {"Vurdering": text},
             title=title, encounter=stay)
    for slug, when, text in (
        ("svelging", "-10w 18:30", ("Hoster ved drikke. Fortykket saft går bedre. Spiser halv "
                                   "porsjon.")),
        ("uro", "-6d 21:40", ("Urolig etter kveldsmat, leter etter moren sin. Roet seg med sang og "
                             "håndholding. Ikke behov for medisin.")),
        ("vekt", "-3d 10:30", ("Vekt 51,9 kg, opp siste måned. Næringsdrikk mellom måltidene "
                              "virker.")),
    ):
        note(story, slug, "nursing", when, "annemette-brekken", _WARD, {"Observasjon": text},
             encounter=stay)
    content = goal(story, "vekt", "Vekt stabil over 51 kg", "-10w")
    calm = goal(story, "ro", "Rolige kvelder uten beroligende legemidler", "-7mo")
    care_plan(story, "omsorg", "Tiltaksplan", "-7mo", "annemette-brekken",
              (("Måltider", "moset kost, sitt sammen med henne"),
               ("Næringsdrikk", "kl. 10 og 15"), ("Vekt", "hver uke"),
               ("Uro om kvelden", "sang, fotobok, dempet lys"), ("Dusj", "mandag og torsdag")),
              goals=(content, calm), conditions=(dementia,))
    appointment(story, "tannlege", "Tannpleier på avdelingen", _WARD, "+9d 10:00", 20)
    task(story, "samtykke", "Ny vurdering av samtykkekompetanse", _WARD, "-3d 11:00", "+11d 12:00",
         by="annemette-brekken", owner="torstein-lien")
