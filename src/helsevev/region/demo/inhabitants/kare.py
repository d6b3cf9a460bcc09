"""Kåre Brattli, 71: COPD, in hospital now with an exacerbation, scored every few hours."""

# A story is read as a table, one fact a line.
# fmt: off
from __future__ import annotations

from ..codes import SNOMED, coding, concept
from ..contacts import appointment, care_team, encounter, episode
from ..flowsheets import monitored
from ..home import Place
from ..laboratory import laboratory, laboratory_series
from ..measurements import measured, series, trend
from ..medicines import Dose, amount_of, code_of, in_use, order
from ..news2 import Signs, signs_round
from ..notes import document, note
from ..orders import ordered, pictures
from ..people import flag, patient, related_person
from ..plans import care_plan, social, task
from ..problems import allergy, condition, goal, immunization, procedure
from ..products import PRODUCTS
from ..story import Story, ref, staff
from ..waiting import waits
from ..writing import awaiting_note, brought

STORY = "Kols grad 4, innlagt nå med forverring; NEWS2 hver fjerde time på skala 2."
_WARD = "st-olavs-lunge"
_GP = "fjordgata-legesenter"


def tell(story: Story) -> None:
    """Everything in his record."""
    _person(story)
    copd, failure = _problems(story)
    stay = encounter(
        story, "innleggelse", "inpatient", "Innleggelse", _WARD, "ingrid-solemdal", "-47h", None,
        reason="Kols-forverring med respirasjonssvikt", place="st-olavs-lunge-rom-312-seng-1",
        diagnoses=(copd, failure),
    )
    _medicines(story, stay)
    _measurements(story, stay)
    monitored(story, stay, "magnus-tverdal", "synne-hovde")
    _laboratory(story, stay)
    _contacts(story, copd, stay)
    _plans(story, copd)


def _person(story: Story) -> None:
    patient(
        story, "Kåre", "Brattli", "male", story.time.birth_date(71, 11, 27),
        Place("Naustbakken 4", "7054", "Ranheim", "5001", "Trondheim"),
        phone="+4710030101", married="skilt", contacts=(("bror", "Arve Brattli", "+4710030102"),),
    )
    related_person(story, "bror", "Arve", "Brattli", "+4710030102", sex="male")
    flag(story, "oksygen", "CO₂-retensjon: SpO₂-mål 88–92 %", "safety", since="-2y",
         by="ingrid-solemdal", detail="Oksygen titreres. NEWS2 skåres på skala 2.")
    flag(story, "behandlingsavklaring", "Behandlingsavklaring: maskebehandling ja, respirator nei",
         "advance-directive", since="-1d", by="ingrid-solemdal",
         detail="Samtale med pasienten, bror til stede. Ønsker HLR-minus.")
    allergy(
        story, "dyrehar", "Hund", category="environment", criticality="low",
        reaction=("Rennende nese og tette luftveier", "49727002", "mild"), since="-20y",
        by="sigrid-aune",
    )


def _problems(story: Story) -> tuple[str, str]:
    copd = condition(
        story, "kols", "Kronisk obstruktiv lungesykdom, GOLD 4", since="-11y",
        by="ingrid-solemdal", icd10=("J44.1", ("Kronisk obstruktiv lungesykdom med akutt "
                                               "uspesifisert "
                                              "forverring")),
        icpc2=("R95", "Kronisk obstruktiv lungesykdom"), note="FEV1 0,82 L (28 % av forventet).",
    )
    failure = condition(
        story, "respirasjonssvikt", "Kronisk respirasjonssvikt med hyperkapni", since="-2y",
        by="ingrid-solemdal", icd10=("J96.1", "Kronisk respirasjonssvikt"),
    )
    condition(story, "osteoporose", "Osteoporose etter prednisolonkurer", since="-3y",
              by="sigrid-aune", icd10=("M81.0", "Osteoporose etter menopause"),
              icpc2=("L95", "Osteoporose"), category="problem-list-item")
    condition(story, "angst", "Angst ved tungpust", since="-2y", by="sigrid-aune",
              icd10=("F41.9", "Uspesifisert angstlidelse"), icpc2=("P74", "Angstlidelse"))
    return copd, failure


def _medicines(story: Story, stay: str) -> None:
    in_use(story, "trelegy", Dose("1 inhalasjon om morgenen", "1 inhalasjon", "08"), "-3y", "Kols",
           by="ingrid-solemdal")
    in_use(story, "ventoline", Dose("2 inhalasjoner ved behov", "2 inhalasjon",
                                    as_needed="Tungpust", most=12), "-11y", "Kols", course="3")
    in_use(story, "calcigran-forte", Dose("1 tyggetablett om kvelden", "1 tyggetablett", "20"),
           "-3y", "Osteoporose")
    in_use(story, "fosamax-70", Dose("1 tablett hver søndag, fastende", "1 tablett", "07",
                                     days="søn"), "-3y", "Osteoporose")
    in_use(story, "mirtazapin-15", Dose("1 tablett om kvelden", "1 tablett", "21"), "-1y",
           "Angst og søvnvansker")
    for product, dose, reason in (
        ("prednisolon-20", Dose("2 tabletter om morgenen i 5 dager", "2 tablett", "08"),
         "Kols-forverring"),
        ("ventoline-neb", Dose("5 mg på forstøver 4 ganger daglig", "5 mg", "08 12 16 20"),
         "Kols-forverring"),
        ("atrovent-neb", Dose("0,5 mg på forstøver 4 ganger daglig", "0.5 mg", "08 12 16 20"),
         "Kols-forverring"),
        ("cefotaksim-iv", Dose("1 g intravenøst 3 ganger daglig", "1 g", "06 14 22"),
         "Mistanke om pneumoni"),
        ("fragmin-5000", Dose("5000 IE under huden daglig", "5000 IE", "20"),
         "Forebygging av blodpropp"),
        ("oksygen", Dose("0,5–2 L/min på nesebrille, SpO₂-mål 88–92 %", rate="0.5 2 L/min"),
         "Respirasjonssvikt"),
    ):
        order(story, product, dose, "-45h", reason, by="ingrid-solemdal", encounter=stay)
    _oxygen(story, stay)
    _given_outside_the_plan(story, stay)


def _oxygen(story: Story, stay: str) -> None:
    """Oxygen that has run since the admission, turned up once."""
    url = "http://helsevev.no/fhir/StructureDefinition/infusion-rate"
    flow = [("-44h", "0.5 L/min"), ("-20h", "1 L/min")]
    story.add(
        "MedicationAdministration", "oksygen-pagar", status="in-progress",
        extension=[
            {"url": url, "extension": [
                {"url": "at", "valueDateTime": story.time.stamp(at)},
                {"url": "rate", "valueQuantity": amount_of(rate)},
                {"url": "by", "valueReference": staff("magnus-tverdal")},
            ]}
            for at, rate in flow
        ],
        medicationCodeableConcept=code_of("oksygen", PRODUCTS["oksygen"]),
        subject=story.subject(), context=ref(stay),
        effectivePeriod={"start": story.time.stamp("-44h")},
        performer=[{"actor": staff("magnus-tverdal")}],
        request={"reference": f"MedicationRequest/demo-{story.key}-forskrivning-oksygen"},
        dosage={"rateQuantity": amount_of("1 L/min")},
    )  # fmt: skip


def _given_outside_the_plan(story: Story, stay: str) -> None:
    """A dose by word of mouth, which the doctor has not acknowledged yet."""
    why = "Muntlig ordinert av Ingrid Solemdal på visitt, økende tungpust"
    system = "http://helsevev.no/fhir/CodeSystem/dose-reason"
    dose = story.add(
        "MedicationAdministration", "gitt-utenom-planen",
        extension=[{
            "url": "http://helsevev.no/fhir/StructureDefinition/outside-plan",
            "valueCodeableConcept": concept(why, coding(system, "verbal")),
        }],
        status="completed", medicationCodeableConcept=code_of(
            "ventoline-neb", PRODUCTS["ventoline-neb"]
        ),
        subject=story.subject(), context=ref(stay), effectiveDateTime=story.time.stamp("-3h"),
        performer=[{"actor": staff("magnus-tverdal")}],
        dosage={"dose": amount_of("2.5 mg"), "route": concept("Bruk til inhalasjon")},
    )  # fmt: skip
    story.add(
        "Task", "bekreft-utenom-planen", status="requested", intent="order",
        code=concept("Bekreft en dose gitt utenom planen", coding(system, "outside-plan")),
        description=f"Ventoline: {why}", focus=ref(dose), authoredOn=story.time.stamp("-3h"),
        requester=staff("magnus-tverdal"), owner=staff("ingrid-solemdal"),
        restriction={"period": {"end": story.time.stamp("+21h")}}, **{"for": story.subject()},
    )  # fmt: skip


def _measurements(story: Story, stay: str) -> None:
    trend(story, "weight", [64.2, 62.0, 59.8, 57.1, 55.4], "-3y 10:00", "-3w", 22, "sigrid-aune",
          wobble=0.5)
    measured(story, "weight", "54.8", "-44h", "magnus-tverdal", number=100, encounter=stay)
    measured(story, "height", "176.0", "-3y 10:05", "sigrid-aune")
    measured(story, "bmi", "17.7", "-44h", "magnus-tverdal", encounter=stay)
    series(story, "spo2", "92 91 91 90 90 89 90 88", "-2y 10:00", "-4w", "synne-hovde")
    series(story, "pulse", "84 88 86 92 90 94", "-2y 10:02", "-4w", "synne-hovde")
    rounds = (
        Signs(30, 81, "0", "152/88", 118, "A", "38.4", True),
        Signs(28, 86, "2.0", "148/84", 114, "A", "38.6", True),
        Signs(28, 94, "3.0", "146/82", 112, "C", "38.5", True),
        Signs(26, 90, "1.5", "142/80", 108, "C", "38.3", True),
        Signs(26, 89, "1.0", "138/78", 104, "A", "38.1", True),
        Signs(24, 90, "1.0", "136/78", 100, "A", "37.9", True),
        Signs(24, 88, "1.0", "134/76", 98, "A", "37.8", True),
        Signs(22, 91, "1.0", "132/74", 96, "A", "37.6", True),
        Signs(25, 87, "1.0", "138/80", 106, "A", "37.9", True),
        Signs(22, 90, "1.0", "134/76", 96, "A", "37.5", True),
        Signs(21, 91, "1.0", "130/74", 92, "A", "37.3", True),
        Signs(20, 90, "0.5", "128/74", 90, "A", "37.2", True),
    )
    times = story.time.spread("-46h", "-50min", len(rounds))
    for number, (when, signs) in enumerate(zip(times, rounds, strict=True), start=1):
        signs_round(story, number, when, signs, "magnus-tverdal", encounter=stay)
    social(story, "royk", concept("Røyking", coding(SNOMED, "365981007", "Tobacco smoking "
                                                                         "behavior")),
           "Sluttet for to år siden, 45 pakkeår", "-3w", "sigrid-aune")
    for number, years in enumerate((1, 2, 3), start=1):
        immunization(story, f"influensa-{number}", "Influensavaksine", f"-{years * 12 - 10}mo "
                                                                        "10:00",
                     product=None, atc="J07BB02", by="sigrid-aune", at=_GP, dose=1)
    procedure(story, "niv", "Maskebehandling (BiPAP) 4 timer", "-42h", by="ingrid-solemdal",
              at=_WARD, encounter=stay, note="Trykk 14/6. God effekt på pCO₂.")


def _laboratory(story: Story, stay: str) -> None:
    laboratory_series(story, "kontroll", "-2y 09:30", "-3w", """
        hb 15.8 crp 6 kreat 71 na 140 k 4.1
        hb 16.1 crp 9 kreat 69 na 139 k 4.2
        hb 16.4 crp 5 kreat 70 na 140 k 4.0
        hb 16.2 crp 12 kreat 72 na 138 k 4.1
        """, sex="male", title="Kontrollprøver")
    gases = (
        ("1", "-46h", "ph 7.27 pco2 9.4 po2 6.1 hco3 31.5 be 4.1 laktat 2.1"),
        ("2", "-43h", "ph 7.29 pco2 8.8 po2 9.4 hco3 31.2 be 4.0 laktat 1.8"),
        ("3", "-40h", "ph 7.33 pco2 7.9 po2 8.3 hco3 31.0 be 4.2 laktat 1.4"),
        ("4", "-26h", "ph 7.36 pco2 7.3 po2 8.1 hco3 30.6 be 4.0 laktat 1.1"),
        ("5", "-4h", "ph 7.37 pco2 7.0 po2 8.2 hco3 30.2 be 3.8 laktat 1.0"),
    )
    for number, when, answers in gases:
        laboratory(story, f"blodgass-{number}", when, answers, sex="male",
                   title="Arteriell blodgass", ordered_by="ingrid-solemdal", encounter=stay,
                   conclusion="Akutt på kronisk respiratorisk acidose." if number == "1" else None,
                   is_seen=number != "5")
    for number, when, answers in (
        ("1", "-46h", "hb 16.3 leuk 15.2 crp 128 na 134 k 3.4 kreat 82 bnp 380 tnt 17"),
        ("2", "-26h", "leuk 16.8 crp 164 na 136 k 3.7 kreat 76"),
        ("3", "-4h", "hb 15.4 leuk 13.1 crp 96 na 138 k 3.9 kreat 72"),
    ):
        laboratory(story, f"opphold-{number}", when, answers, sex="male",
                   title="Blodprøver under opphold", ordered_by="ingrid-solemdal", encounter=stay,
                   is_seen=number != "3")
    chest = ordered(story, "thorax", "imaging", (("xr-chest", "Røntgen thorax", ""),), "-20h",
                    "Kols-forverring, CRP stiger. Infiltrat? Pneumothorax?",
                    by="ingrid-solemdal", at=_WARD, to="st-olavs-radiologi", encounter=stay,
                    is_done=True)  # fmt: skip
    pictures(story, "thorax", "Røntgen thorax", "-3h", "-70min",
             "Emfysem. Nytt lite infiltrat basalt på høyre side. Ingen pneumothorax.",
             number="RAD-2611-048213", orders=chest, by="ingrid-solemdal", encounter=stay)
    ordered(story, "i-morgen", "laboratory",
            (("crp", "CRP", "NPU19748"), ("k", "Kalium", "NPU03230"),
             ("crea", "Kreatinin", "NPU18016")),
            "-30min", "Kontroll av infeksjon og elektrolytter", by="ingrid-solemdal", at=_WARD,
            to="st-olavs-biokjemi", encounter=stay)


def _student(story: Story, stay: str, night: str) -> None:
    """What a student wrote on the day's watch, with a line that was copied from the night's."""
    copied = ("Sov tre timer sammenhengende. Ny tungpust og angst i natt, SpO₂ 87 %, "
              "roligere etter forstøver og sittende stilling.")
    said = "Sykepleienotat natt, Magnus Tverdal"
    awaiting_note(story, "student", "nursing", "-90min", "jakob-nygard", _WARD, {
        "Observasjon": ((f"{copied}\nSitter i stolen til måltidene. Mindre tungpust, snakker i "
                         "hele setninger."), (brought(copied, "copy", night, said),)),
        "Tiltak": ("Pusteteknikk øvd sammen med fysioterapeut. Spist halv porsjon.", ()),
    }, cosigner="magnus-tverdal", due="+2d", encounter=stay)


def _contacts(story: Story, copd: str, stay: str) -> None:
    episode(story, "kols", "Oppfølging ved lungepoliklinikken", "st-olavs-lungepol", "-5y",
            manager="ingrid-solemdal", conditions=(copd,))
    care_team(story, "lunge", "Behandlingsteam", _WARD, "-1d",
              (("Behandlingsansvarlig lege", "ingrid-solemdal"),
               ("Ansvarlig sykepleier", "magnus-tverdal"), ("Fastlege", "sigrid-aune")),
              relatives=(("Nærmeste pårørende", f"RelatedPerson/demo-{story.key}-bror"),))
    received = encounter(story, "akuttmottak", "emergency", "Akuttmottak", "st-olavs-akuttmottak",
                         "ingrid-solemdal", "-48h", "-47h", reason="Tung pust",
                         place="st-olavs-akuttmottak", discharged_to="Sengepost")
    note(story, "innkomst", "admission", "-45h", "ingrid-solemdal", _WARD, {
        "Innleggelsesårsak": "Kols-forverring, innlagt av fastlege med ambulanse.",
        "Aktuelt": "Fire dager med økende tungpust og grønt ekspektorat. Siste døgn ikke sovet. "
                   "Tredje innleggelse på ett år.",
        "Funn": "Sliten, leppepust, snakker i korte setninger. Forlenget ekspirium og pipelyder, "
                "knatring høyre base. RF 30, SpO₂ 81 % uten oksygen, temp 38,4 °C.",
        "Røntgen thorax": "Emfysem. Fortetning i høyre underlapp.",
        "Vurdering": "Infeksiøs forverring, trolig pneumoni. Akutt på kronisk hyperkapnisk "
                     "respirasjonssvikt.",
        "Plan": "BiPAP\nForstøver hver fjerde time\nPrednisolon 40 mg i fem dager\n"
                "Cefotaksim intravenøst\nBlodgass etter én og tre timer",
    }, encounter=stay)
    note(story, "akuttmottak", "nursing", "-47h", "magnus-tverdal", "st-olavs-akuttmottak", {
        "Observasjon": "Ankom med oksygen 3 L/min, SpO₂ 94 %, blir døsig. Redusert til 1,5 L/min "
                       "etter avtale med lege.",
    }, title="Mottak", encounter=received)
    note(story, "avklaring", "progress", "-1d 15:30", "ingrid-solemdal", _WARD, {
        "Samtale": "Snakket med Kåre og bror Arve om hva som er viktig nå. Han vil ha "
                   "maskebehandling og antibiotika, men ikke respirator eller hjertekompresjon.",
        "Avklaring": "HLR-minus. Ikke intensiv med respirator. Maskebehandling på posten.",
    }, title="Behandlingsavklaring", encounter=stay)
    night = note(story, "natt", "nursing", "-7h", "magnus-tverdal", _WARD, {
        "Observasjon": "Sov tre timer sammenhengende. Ny tungpust og angst i natt, SpO₂ 87 %, "
                       "roligere etter forstøver og sittende stilling.",
        "Tiltak": "Forstøver\nOksygen 1 L/min\nVifte\nBlodgass tatt",
    }, title="Sykepleienotat natt", encounter=stay)
    _student(story, stay, night)
    note(story, "visitt", "progress", "-3h", "ingrid-solemdal", _WARD, {
        "Vurdering": "Bedring. CRP på vei ned, pCO₂ 7,0. NEWS2 på vei ned.",
        "Tiltak": "Cefotaksim til og med i morgen, deretter tabletter\nFysioterapi, PEP-fløyte\n"
                  "Ernæring: næringsdrikk, kostregistrering\nTidligst hjem om tre dager",
    }, title="Legevisitt", encounter=stay)
    document(story, "epikrise-forrige", "discharge", "Epikrise, forrige innleggelse", "-4mo 12:00",
             "ingrid-solemdal", _WARD,
             "Innlagt i fem dager med kols-forverring. Behandlet med prednisolon og antibiotika, "
             "ikke maskebehandling. Utskrevet med henvisning til lungerehabilitering, som han "
             "takket nei til. Anbefalt ny vurdering av oksygen hjemme.")


def _plans(story: Story, copd: str) -> None:
    weight = goal(story, "vekt", "Vekt over 56 kg om tre måneder", "-1d")
    care_plan(story, "lunge", "Behandlingsplan under oppholdet", "-1d", "magnus-tverdal",
              (("NEWS2", "hver 4. time, skala 2"), ("SpO₂", "88–92 %"),
               ("Mobilisering", "opp i stol til alle måltider"),
               ("Ernæring", "næringsdrikk 2 ganger daglig")), goals=(weight,), conditions=(copd,))
    task(story, "utskrivning", "Melde til kommunen om behov for tjenester ved utskrivning", _WARD,
         "-3h", "+1d 12:00", by="ingrid-solemdal", owner="magnus-tverdal", priority="urgent")
    task(story, "hjemmeoksygen", "Vurdere oksygen hjemme før utskrivning", "st-olavs-lungepol",
         "-3h", "+3d 12:00", by="ingrid-solemdal", owner="synne-hovde")
    appointment(story, "lungepol", "Lungepoliklinikken, kontroll", "st-olavs-lungepol",
                "+6w 11:00", 30, by="ingrid-solemdal")
    waits(story, "maske", ("task", "Oppgave"), "Maskebehandlingen må tilpasses: lekkasje ved nesa",
          _WARD, "-2h", "+2h", by="ingrid-solemdal", owner=None, priority="urgent",
          passed_on=(("+6h", "st-olavs-medisin"),), title="Tilpasse maske")
