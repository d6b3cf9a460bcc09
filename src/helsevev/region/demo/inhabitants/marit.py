"""Marit Haugland, 61: type 2 diabetes for twelve years, a foot ulcer that heals too slowly."""

# A story is read as a table, one fact a line.
# fmt: off
from __future__ import annotations

from ..contacts import appointment, care_team, encounter, episode
from ..home import Place
from ..laboratory import laboratory, laboratory_series
from ..measurements import blood_pressures, measured, series, trend
from ..medicines import Dose, in_use
from ..notes import document, note
from ..people import flag, patient, related_person
from ..plans import care_plan, service_request, task
from ..problems import allergy, condition, goal, immunization
from ..story import Story

STORY = "Type 2-diabetes i tolv år og et fotsår som gror for sakte; egen innbyggerbruker."
_GP = "fjordgata-legesenter"
_HOME = "trondheim-hjemmetjeneste-ost"
_CLINIC = "st-olavs-diabetespol"


def tell(story: Story) -> None:
    """Everything in her record."""
    _person(story)
    diabetes, ulcer = _problems(story)
    _medicines(story)
    _measurements(story)
    _contacts(story, diabetes, ulcer)
    _plans(story, ulcer)


def _person(story: Story) -> None:
    patient(
        story, "Marit", "Haugland", "female", story.time.birth_date(61, 9, 2),
        Place("Rognebærlia 8", "7049", "Trondheim", "5001", "Trondheim"),
        phone="+4710020101", married="gift",
        contacts=(("ektefelle", "Olav Haugland", "+4710020102"),),
    )
    related_person(story, "ektefelle", "Olav", "Haugland", "+4710020102", sex="male")
    flag(
        story, "kontrast", "Forsiktighet ved kontrastmiddel: nedsatt nyrefunksjon og metformin",
        "safety", since="-9mo", by="guro-melbye",
        detail="Metformin pauses 48 timer ved undersøkelse med jodholdig kontrast.",
    )
    allergy(
        story, "plaster", "Plaster med kolofonium", category="environment", criticality="low",
        reaction=("Kontakteksem", "40275004", "mild"), since="-5y", by="sigrid-aune",
        note="Bruk silikonbasert fiksering.",
    )


def _problems(story: Story) -> tuple[str, str]:
    diabetes = condition(
        story, "diabetes", "Diabetes mellitus type 2 med flere komplikasjoner", since="-12y",
        by="sigrid-aune", icd10=("E11.7", "Diabetes mellitus type 2 med flere komplikasjoner"),
        icpc2=("T90", "Diabetes type 2"),
    )
    condition(
        story, "nevropati", "Diabetisk polynevropati", since="-4y", by="guro-melbye",
        icd10=("G63.2", "Diabetisk polynevropati"),
        note="Manglende monofilamentsans under begge fotsåler.",
    )
    condition(
        story, "hypertensjon", "Hypertensjon", since="-10y", by="sigrid-aune",
        icd10=("I10", "Essensiell hypertensjon"), icpc2=("K86", "Hypertensjon ukomplisert"),
    )
    condition(
        story, "fedme", "Fedme", since="-12y", by="sigrid-aune",
        icd10=("E66.9", "Uspesifisert fedme"), icpc2=("T82", "Fedme"),
    )
    ulcer = condition(
        story, "fotsar", "Diabetisk fotsår, høyre forfot", since="-11w", by="sigrid-aune",
        icd10=("L97", "Sår på underekstremitet, ikke klassifisert annet sted"),
        icpc2=("S97", "Kronisk hudsår"),
        note="Under hodet på første metatars. Wagner grad 1.",
    )
    return diabetes, ulcer


def _medicines(story: Story) -> None:
    in_use(story, "metformin-1000", Dose("1 tablett morgen og kveld", "1 tablett", "08 18"),
           "-11y", "Diabetes type 2")
    in_use(story, "jardiance-10", Dose("1 tablett om morgenen", "1 tablett", "08"),
           "-3y", "Diabetes type 2", by="guro-melbye")
    in_use(story, "ozempic-1", Dose("1 mg under huden hver søndag", "1 mg", "09", days="søn"),
           "-14mo", "Diabetes type 2", by="guro-melbye", prescribed=True)
    in_use(story, "lantus", Dose("22 E under huden om kvelden", "22 E", "22"),
           "-5y", "Diabetes type 2", by="guro-melbye",
           note="Økt fra 18 E ved siste kontroll.")
    in_use(story, "atacand-8", Dose("1 tablett om morgenen", "1 tablett", "08"),
           "-10y", "Høyt blodtrykk")
    in_use(story, "lipitor-40", Dose("1 tablett om kvelden", "1 tablett", "20"),
           "-9y", "Forebygging av hjerte- og karsykdom")
    in_use(story, "paracet-500", Dose("2 tabletter inntil 4 ganger i døgnet ved behov", "2 tablett",
                                      as_needed="Smerter i foten", most=8),
           "-10w", "Smerter", course="3")
    in_use(story, "dalacin-300", Dose("1 kapsel 3 ganger daglig i 10 dager", "1 kapsel",
                                      "08 14 20"),
           "-9w", "Infisert fotsår", status="completed", until="-54d", course="2",
           why="Kuren er fullført")


def _measurements(story: Story) -> None:
    trend(story, "weight", [98.4, 99.2, 97.0, 93.1, 90.6], "-4y 09:10", "-6d", 26, "sigrid-aune",
          wobble=0.5)
    measured(story, "height", "168.0", "-4y 09:05", "sigrid-aune")
    measured(story, "bmi", "32.1", "-6d 09:15", "sigrid-aune")
    blood_pressures(
        story, "152/92 148/90 146/88 150/86 142/84 138/84 144/82 140/82 136/80 138/78 134/80",
        "-4y 09:20", "-6d", "sigrid-aune",
    )
    series(story, "glucose", "11.2 9.8 10.4 12.1 9.2 8.8 10.9 9.6 8.4 9.1 8.9 8.2 9.4 7.9 8.6 8.1",
           "-10w 08:40", "-2d", "berit-lundamo")
    series(story, "pain", "5 5 4 4 3 4 3 3 2 2", "-10w 08:45", "-2d", "berit-lundamo")
    series(story, "temperature", "38.1 37.4 36.9 36.8", "-9w 08:45", "-7w", "berit-lundamo")
    laboratory_series(
        story, "kontroll", "-4y 08:30", "-6d", """
        hba1c 71 kreat 78 egfr 72 acr 2.4 ldl 3.4 kol 5.6 k 4.2 na 140
        hba1c 68 kreat 80 egfr 70 acr 2.9 ldl 2.9 kol 5.0 k 4.3 na 139
        hba1c 73 kreat 79 egfr 70 acr 3.6 ldl 2.7 kol 4.8 k 4.1 na 140
        hba1c 66 kreat 84 egfr 66 acr 4.2 ldl 2.6 kol 4.7 k 4.4 na 141
        hba1c 64 kreat 86 egfr 64 acr 4.4 ldl 2.4 kol 4.6 k 4.3 na 140
        hba1c 61 kreat 89 egfr 61 acr 5.1 ldl 2.2 kol 4.3 k 4.4 na 139
        hba1c 62 kreat 92 egfr 58 acr 5.6 ldl 2.1 kol 4.2 k 4.5 na 140
        hba1c 58 kreat 93 egfr 57 acr 5.2 ldl 1.9 kol 4.0 k 4.4 na 140
        """, sex="female", title="Diabeteskontroll",
    )
    laboratory(story, "sar", "-63d 10:30", "crp 64 leuk 12.8 hb 12.9 alb 37 kreat 95 egfr 56",
               sex="female", title="Blodprøver ved sårinfeksjon",
               conclusion="Forhøyede infeksjonsprøver, forenlig med bløtdelsinfeksjon.")
    laboratory(story, "sar-kontroll", "-53d 10:15", "crp 11 leuk 8.2", sex="female",
               title="Kontroll etter antibiotika")
    immunization(story, "influensa", "Influensavaksine", "-7w 11:00", product=None,
                 atc="J07BB02", by="berit-lundamo", at=_HOME, dose=1)


def _contacts(story: Story, diabetes: str, ulcer: str) -> None:
    course = episode(story, "sarstell", "Helsetjenester i hjemmet", _HOME, "-11w",
                     manager="berit-lundamo", municipal="15", conditions=(ulcer,))
    episode(story, "diabetes", "Oppfølging ved diabetespoliklinikken", _CLINIC, "-5y",
            manager="guro-melbye", conditions=(diabetes,))
    care_team(story, "sar", "Sårteam", _HOME, "-11w",
              (("Primærkontakt", "berit-lundamo"), ("Fastlege", "sigrid-aune"),
               ("Diabeteslege", "guro-melbye")), units=(("Utførende enhet", _HOME),))
    gp = encounter(story, "sarinfeksjon", "ambulatory", "Konsultasjon hos fastlege", _GP,
                   "sigrid-aune", "-63d 10:00", "-63d 10:25", reason="Rødme og sekresjon fra "
                                                                     "fotsår",
                   place=_GP, diagnoses=(ulcer,))
    note(story, "sarinfeksjon", "progress", "-63d 10:30", "sigrid-aune", _GP, {
        "Aktuelt": "Sår under høyre forfot i to uker. Siste tre dager økende rødme, varme og "
                   "gulgrønn sekresjon. Feberfølelse, 38,1 °C målt hjemme.",
        "Funn": "Sår 14 × 11 mm, dybde 4 mm, ingen kontakt med bein. Rødme 3 cm rundt. God puls "
                "i a. dorsalis pedis. Nedsatt sensibilitet.",
        "Vurdering": "Infisert diabetisk fotsår, ikke mistanke om osteomyelitt.",
        "Tiltak": "Klindamycin 300 mg × 3 i 10 dager\nSårstell ved hjemmetjenesten tre ganger i uka"
                  "\nAvlastende sko\nRask vurdering ved diabetespoliklinikken",
    }, encounter=gp)
    outpatient = encounter(story, "fotpol", "ambulatory", "Fotteam, poliklinisk kontroll", _CLINIC,
                           "guro-melbye", "-20d 13:00", "-20d 13:40", reason="Diabetisk fotsår",
                           place=_CLINIC, diagnoses=(ulcer, diabetes))
    note(story, "fotpol", "outpatient", "-20d 13:50", "guro-melbye", _CLINIC, {
        "Aktuelt": "Kontroll i fotteam. Infeksjonen er slått ned. Bruker avlastende sko det meste "
                   "av dagen, men går barbeint inne om morgenen.",
        "Funn": "Sår 9 × 7 mm, rent, granulerer. Ingen rødme. Monofilament: ingen sans i fem av "
                "åtte punkter på begge sider.",
        "Vurdering": "Tilheling går langsomt, avlastning er avgjørende. HbA1c på vei ned.",
        "Plan": "Fortsetter sårstell hjemme\nLantus økes til 22 E\nNy time i fotteam om to uker",
    }, encounter=outpatient)
    for number, (when, size, text) in enumerate((
        ("-9d 08:40", "8 × 6 mm", "Lett fibrinbelegg, fjernet. Ikke lukt, ikke rødme."),
        ("-4d 08:40", "7 × 5 mm", ("Granulerer fint. Litt maserte kanter, byttet til mer "
                                   "absorberende "
                                  "bandasje.")),
        ("-2d 08:40", "7 × 5 mm", ("Uendret størrelse, tørrere kanter. Minnet om å bruke sko også "
                                  "inne.")),
    ), start=1):
        visit = encounter(story, f"sarstell-{number}", "home", "Hjemmebesøk", _HOME,
                          "berit-lundamo", when, when[:-2] + "58", reason="Sårstell",
                          episode=course)
        note(story, f"sarstell-{number}", "home-visit", when[:-2] + "55", "berit-lundamo", _HOME, {
            "Observasjon": f"Sår {size}. {text}",
            "Tiltak": "Rengjort med NaCl, silikonbandasje, fikset uten plaster med kolofonium.",
        }, title="Sårstell", encounter=visit)
    document(story, "oyelege", "outpatient", "Svar fra øyelege, fotoscreening", "-5mo 12:00",
             "sigrid-aune", _GP,
             "Fotoscreening av øyebunn: Ingen tegn til diabetisk retinopati på noen av øynene. "
             "Ny kontroll anbefales om to år.")


def _plans(story: Story, ulcer: str) -> None:
    healed = goal(story, "sar", "Såret er helt lukket innen seks uker", "-11w")
    sugar = goal(story, "hba1c", "HbA1c under 53 mmol/mol", "-20d")
    care_plan(
        story, "sar", "Tiltaksplan for sår", "-11w", "berit-lundamo",
        (("Sårstell", "mandag, onsdag og fredag"), ("Måle sår", "hver uke, med bilde"),
         ("Avlastning", "spesialsko hele dagen"), ("Blodsukker", "ved hvert sårstell")),
        goals=(healed, sugar), conditions=(ulcer,),
    )
    referral = service_request(story, "fotteam", "Fotteam, vurdering av diabetisk fotsår",
                               "Henvisning", "-63d 10:35", by="sigrid-aune", to=_CLINIC,
                               reason="Infisert diabetisk fotsår", priority="urgent")
    appointment(story, "fotteam", "Kontroll i fotteam", _CLINIC, "+8d 12:30", 40,
                by="guro-melbye", based_on=referral,
                instruction="Ta med skoene du bruker mest, og listen over blodsukkermålinger.")
    appointment(story, "fastlege", "Årskontroll diabetes hos fastlege", "fjordgata-legesenter",
                "+5w 09:00", 30, by="sigrid-aune", instruction="Møt fastende til blodprøver.")
    appointment(story, "fotterapeut", "Fotteam, time som ikke ble møtt til", _CLINIC, "-34d 13:00",
                30, by="guro-melbye", status="noshow")
    appointment(story, "sarstell", "Sårstell, høyre fot", _HOME, "+0d 10:15", 45,
                by="berit-lundamo", instruction="Ta bilde av såret.")
    task(story, "bilde", "Ta nytt bilde av såret og send til fotteamet", _HOME, "-2d 08:58",
         "+1d 10:00", by="guro-melbye", owner="berit-lundamo", status="accepted")
