"""Aslaug Moe, 84: heart failure, twelve medicines, a fall, and the way home again."""

# A story is read as a table, one fact a line.
# fmt: off
from __future__ import annotations

from ..home import Place
from ..laboratory import laboratory, laboratory_series
from ..measurements import blood_pressures, measured, series, trend
from ..medicines import Dose, in_use
from ..news2 import Signs, signs_round
from ..people import flag, patient, related_person
from ..problems import allergy, condition, immunization, procedure
from ..story import Story
from . import aslaug_course

STORY = "Hjertesvikt, atrieflimmer og tolv legemidler; falt, ble innlagt og er hjemme igjen."
_HOME = "trondheim-hjemmetjeneste-ost"


def tell(story: Story) -> None:
    """Everything in her record."""
    _person(story)
    problems = _problems(story)
    _medicines(story)
    _measurements(story)
    _laboratory(story)
    aslaug_course.tell(story, problems)


def _person(story: Story) -> None:
    patient(
        story, "Aslaug", "Moe", "female", story.time.birth_date(84, 3, 14),
        Place("Kornblomstvegen 21", "7045", "Trondheim", "5001", "Trondheim"), middle="Bakken",
        phone="+4710010101", married="enkeEllerEnkemann",
        contacts=(("datter", "Liv Moe Aasen", "+4710010102"),
                  ("sønn", "Geir Moe", "+4710010103")),
    )
    related_person(story, "datter", "Liv Moe", "Aasen", "+4710010102", sex="female")
    related_person(story, "sønn", "Geir", "Moe", "+4710010103", sex="male", next_of_kin=False)
    flag(story, "antikoagulert", "Bruker blodfortynnende (apiksaban)", "drug", since="-7d",
         by="petter-hagbo", detail="Byttet fra warfarin under innleggelsen. Ikke gi begge.")
    flag(story, "fall", "Høy fallrisiko", "safety", since="-9d", by="mona-hegstad",
         detail="To fall siste halvår. Rullator inne, følge ute.")
    flag(story, "nokkel", "Nøkkelboks ved inngangsdøren, hjemmetjenesten har kode", "admin",
         since="-5y", by="berit-lundamo")
    allergy(
        story, "penicillin", "Penicillin", category="medication", criticality="high",
        reaction=("Anafylaksi", "39579001", "severe"), since="-31y", by="sigrid-aune",
        atc=("J01C", "Betalaktamantibakterielle midler, penicilliner"),
        snomed=("764146007", "Penicillin"),
        note="Innlagt etter fenoksymetylpenicillin. Har tålt cefalosporiner og klindamycin.",
    )
    allergy(
        story, "tramadol", "Tramadol", category="medication", criticality="low", kind="intolerance",
        reaction=("Kvalme og forvirring", "422587007", "moderate"), since="-6y", by="sigrid-aune",
        atc=("N02AX02", "Tramadol"),
    )


def _problems(story: Story) -> dict[str, str]:
    told = {
        "svikt": condition(
            story, "hjertesvikt", "Hjertesvikt med redusert ejeksjonsfraksjon", since="-6y",
            by="eli-strandberg", icd10=("I50.9", "Uspesifisert hjertesvikt"),
            icpc2=("K77", "Hjertesvikt"), note="EF 35 % ved siste ekko. NYHA II–III."),
        "flimmer": condition(
            story, "atrieflimmer", "Permanent atrieflimmer", since="-8y", by="eli-strandberg",
            icd10=("I48.2", "Kronisk atrieflimmer"), icpc2=("K78", "Atrieflimmer/flutter"),
            note="CHA₂DS₂-VASc 6."),
        "nyre": condition(
            story, "nyresvikt", "Kronisk nyresykdom, stadium 3", since="-4y", by="sigrid-aune",
            icd10=("N18.3", "Kronisk nyresykdom, stadium 3")),
        "brudd": condition(
            story, "radius", "Brudd i distal ende av radius, venstre", since="-9d",
            by="amir-rostami", icd10=("S52.5", "Brudd i distal ende av radius"),
            icpc2=("L72", "Brudd underarm"), category="encounter-diagnosis",
            note="Gips til og med uke 5 etter bruddet."),
    }
    condition(story, "hypertensjon", "Hypertensjon", since="-22y", by="sigrid-aune",
              icd10=("I10", "Essensiell hypertensjon"), icpc2=("K86", "Hypertensjon ukomplisert"))
    condition(story, "osteoporose", "Osteoporose", since="-7y", by="sigrid-aune",
              icd10=("M81.0", "Osteoporose etter menopause"), icpc2=("L95", "Osteoporose"))
    condition(story, "horsel", "Aldersbetinget hørselstap, høreapparat begge ører", since="-9y",
              by="sigrid-aune", icd10=("H91.1", "Alderdomstunghørthet"),
              icpc2=("H84", "Hørselstap aldersbetinget"))
    condition(story, "forstoppelse", "Forstoppelse", since="-3y", by="sigrid-aune",
              icd10=("K59.0", "Forstoppelse"), icpc2=("D12", "Forstoppelse"))
    condition(story, "jernmangel", "Jernmangelanemi", since="-2y", until="-1y", status="resolved",
              by="sigrid-aune", icd10=("D50.9", "Uspesifisert jernmangelanemi"),
              icpc2=("B80", "Jernmangelanemi"))
    return told


def _medicines(story: Story) -> None:
    morning, evening = "08", "20"
    in_use(story, "eliquis-2-5", Dose("1 tablett morgen og kveld", "1 tablett", "08 20"), "-5d",
           "Atrieflimmer, forebygging av hjerneslag", by="petter-hagbo", prescribed=True,
           multidose=True,
           note="Redusert dose: alder over 80 år og kroppsvekt under 60 kg. Startet da INR var "
                "under 2,0.")
    in_use(story, "selo-zok-50", Dose("1 tablett om morgenen", "1 tablett", morning), "-6y",
           "Atrieflimmer og hjertesvikt", by="eli-strandberg", prescribed=True, multidose=True)
    in_use(story, "diural-40", Dose("1 tablett morgen, 1 tablett kl. 14", "1 tablett", "08 14"),
           "-3d", "Hjertesvikt", by="petter-hagbo", prescribed=True,
           note="Økt fra 40 mg × 1 ved utskrivning. Vekt daglig, ny kreatinin om en uke.")
    in_use(story, "spirix-25", Dose("1 tablett om morgenen", "1 tablett", morning), "-5y",
           "Hjertesvikt", by="eli-strandberg", prescribed=True, multidose=True)
    in_use(story, "atacand-8", Dose("1 tablett om morgenen", "1 tablett", morning), "-4y",
           "Hjertesvikt", by="eli-strandberg", prescribed=True, multidose=True)
    in_use(story, "jardiance-10", Dose("1 tablett om morgenen", "1 tablett", morning), "-2y",
           "Hjertesvikt", by="eli-strandberg", prescribed=True, multidose=True)
    in_use(story, "lipitor-20", Dose("1 tablett om kvelden", "1 tablett", evening), "-15y",
           "Forebygging av hjerte- og karsykdom", prescribed=True, multidose=True)
    in_use(story, "calcigran-forte", Dose("1 tyggetablett om kvelden", "1 tyggetablett", evening),
           "-7y", "Osteoporose", prescribed=True, multidose=True)
    in_use(story, "fosamax-70", Dose("1 tablett hver mandag morgen, fastende med et glass vann",
                                     "1 tablett", "07", days="man"), "-3y", "Osteoporose")
    in_use(story, "paracet-500", Dose("2 tabletter 3 ganger daglig i to uker", "2 tablett",
                                      "08 14 20"), "-7d", "Smerter etter brudd",
           by="petter-hagbo", course="2")
    in_use(story, "laktulose", Dose("15 mL om kvelden", "15 mL", evening), "-3y", "Forstoppelse")
    in_use(story, "imovane-3-75", Dose("1 tablett til natten ved behov, høyst 3 netter i uka",
                                       "1 tablett", as_needed="Søvnvansker", most=1), "-2y",
           "Søvnvansker", course="3", note="Vurderes seponert: fallrisiko.")
    in_use(story, "marevan-2-5", Dose("Etter INR, siste dose 2 tabletter daglig", "2 tablett",
                                      evening), "-8y", "Atrieflimmer", status="stopped",
           until="-7d", why="Byttet til apiksaban: ustabil INR og fall", by="petter-hagbo")
    in_use(story, "diural-40", Dose("1 tablett om morgenen", "1 tablett", morning), "-6y",
           "Hjertesvikt", status="stopped", until="-3d", why="Dosen er økt", by="petter-hagbo",
           slug="diural-40-tidligere")
    in_use(story, "oxynorm-5", Dose("1 kapsel inntil 3 ganger i døgnet ved behov", "1 kapsel",
                                    as_needed="Sterke smerter", most=3), "-9d",
           "Smerter etter brudd", status="completed", until="-4d", course="2",
           why="Ikke lenger behov", by="petter-hagbo")
    in_use(story, "somac-20", Dose("1 tablett om morgenen", "1 tablett", morning), "-2y",
           "Reflukssykdom", status="on-hold", why="Prøves uten i fire uker", until=None,
           by="petter-hagbo")


def _measurements(story: Story) -> None:
    trend(story, "weight", [63.8, 62.9, 61.5, 60.2, 59.4], "-3y 09:00", "-17d", 48,
          "berit-lundamo", wobble=0.6)
    series_from_stay = "61.9 61.2 60.3 59.1 58.4"
    for number, value in enumerate(series_from_stay.split(), start=101):
        measured(story, "weight", value, f"-{8 - (number - 101)}d 07:10", "mona-hegstad",
                 number=number)
    for number, (value, when) in enumerate((("58.2", "-2d 08:35"), ("58.6", "-1d 08:30")),
                                           start=110):
        measured(story, "weight", value, when, "berit-lundamo", number=number)
    measured(story, "height", "159.0", "-3y 09:05", "berit-lundamo")
    blood_pressures(
        story, "148/82 144/80 146/84 138/78 142/76 140/80 136/74 138/78 132/74 134/72 130/74 "
        "128/70 132/72 126/70 130/68 124/70", "-3y 09:10", "-17d", "berit-lundamo",
    )
    trend(story, "pulse", [88, 82, 78, 76, 80], "-3y 09:12", "-17d", 24, "berit-lundamo", wobble=5)
    blood_pressures(story, "118/66 122/68", "-2d 08:40", "-1d 08:35", "berit-lundamo", number=60)
    series(story, "pulse", "78 74", "-2d 08:42", "-1d 08:37", "berit-lundamo", number=60)
    series(story, "spo2", "95 96", "-2d 08:43", "-1d 08:38", "berit-lundamo")
    series(story, "pain", "7 6 5 5 4 3 3 2", "-9d 21:00", "-1d", "mona-hegstad")
    rounds = (
        ("-9d 19:40", Signs(22, 92, "0", "104/58", 112, "A", "37.4")),
        ("-9d 23:10", Signs(20, 94, "2.0", "108/60", 104, "A", "37.6")),
        ("-8d 07:00", Signs(22, 93, "2.0", "112/62", 98, "C", "37.9")),
        ("-8d 15:00", Signs(20, 95, "2.0", "116/64", 92, "A", "37.5")),
        ("-7d 07:00", Signs(18, 95, "1.0", "118/66", 88, "A", "37.1")),
        ("-6d 07:00", Signs(18, 96, "0", "122/70", 84, "A", "36.9")),
        ("-5d 07:00", Signs(16, 96, "0", "124/68", 80, "A", "36.8")),
        ("-4d 07:00", Signs(16, 97, "0", "122/66", 78, "A", "36.6")),
    )
    for number, (when, signs) in enumerate(rounds, start=1):
        by = "stian-rokseth" if number == 1 else "mona-hegstad"
        signs_round(story, number, when, signs, by)
    immunization(story, "influensa", "Influensavaksine", "-6w 10:00", product=None, atc="J07BB02",
                 by="berit-lundamo", at=_HOME, dose=1)
    immunization(story, "pneumokokk", "Pneumokokkvaksine", "-4y 10:00",
                 product=("PNE01_001", "Pneumovax"), atc="J07AL01", by="sigrid-aune",
                 at="fjordgata-legesenter", dose=2)
    procedure(story, "gips", "Gipslaske på venstre underarm", "-9d 20:30", by="amir-rostami",
              at="trondheim-legevakt")


def _laboratory(story: Story) -> None:
    readings = (2.4, 2.6, 2.1, 3.4, 2.8, 1.7, 2.3, 3.8, 2.5, 1.9, 2.2, 4.1, 2.9, 3.6)
    laboratory_series(
        story, "inr", "-14mo 09:00", "-15d", "\n".join(f"inr {value}" for value in readings),
        sex="female", title="INR-kontroll",
    )
    laboratory_series(
        story, "kontroll", "-3y 09:00", "-4w", """
        hb 12.8 kreat 92 egfr 50 k 4.2 na 140 bnp 1420 ferritin 64
        hb 12.1 kreat 98 egfr 46 k 4.4 na 139 bnp 1680 ferritin 38
        hb 10.9 kreat 101 egfr 44 k 4.3 na 139 bnp 1890 ferritin 11
        hb 11.8 kreat 99 egfr 45 k 4.5 na 140 bnp 1760 ferritin 42
        hb 12.4 kreat 104 egfr 42 k 4.6 na 138 bnp 2010 ferritin 71
        hb 12.2 kreat 108 egfr 40 k 4.7 na 138 bnp 2240 ferritin 66
        """, sex="female", title="Kontrollprøver",
    )
    rows = (
        ("1", "-9d 21:20", ("hb 11.4 leuk 10.6 crp 28 na 133 k 5.1 kreat 138 egfr 30 inr 4.6 "
                           "bnp 6840 tnt 38")),
        ("2", "-7d 06:30", "hb 11.1 crp 41 na 134 k 4.8 kreat 126 egfr 33 inr 2.4 bnp 5120"),
        ("3", "-6d 06:30", "crp 33 na 135 k 4.6 kreat 119 egfr 36 inr 1.8"),
        ("4", "-4d 06:30", "hb 11.3 crp 14 na 137 k 4.4 kreat 112 egfr 38 bnp 3260"),
    )
    for number, when, answers in rows:
        laboratory(story, f"opphold-{number}", when, answers, sex="female",
                   title="Blodprøver under opphold", ordered_by="petter-hagbo",
                   conclusion="INR klart over behandlingsområdet og forverret nyrefunksjon."
                   if number == "1" else None)
