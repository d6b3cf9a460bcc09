"""Aslaug Moe's fall, stay and return home: contacts, notes and plans."""

# A story is read as a table, one fact a line.
# fmt: off
from __future__ import annotations

from ..contacts import appointment, care_team, encounter, episode
from ..notes import document, note
from ..plans import care_plan, service_request, task
from ..problems import goal
from ..reconciling import reconciled, told
from ..story import Story
from ..waiting import waits
from ..writing import photo

_HOME = "trondheim-hjemmetjeneste-ost"
_WARD = "st-olavs-geriatri"
_CLINIC = "st-olavs-hjertepol"
_LEGEVAKT = "trondheim-legevakt"


def tell(story: Story, problems: dict[str, str]) -> None:
    """The contacts in order, what was written at each, and what is planned."""
    service = episode(story, "hjemmetjeneste", "Helsetjenester i hjemmet", _HOME, "-5y",
                      manager="berit-lundamo", municipal="15")
    episode(story, "trygghetsalarm", "Trygghetsalarm", _HOME, "-2y", municipal="6")
    episode(story, "hjertesvikt", "Oppfølging av hjertesvikt", "st-olavs-medisin", "-6y",
            manager="eli-strandberg", conditions=(problems["svikt"],))
    care_team(
        story, "hjemme", "Team rundt Aslaug", _HOME, "-5y",
        (("Primærkontakt", "berit-lundamo"), ("Helsefagarbeider", "fatima-noor"),
         ("Fastlege", "sigrid-aune"), ("Hjertelege", "eli-strandberg")),
        units=(("Utførende enhet", _HOME),),
        relatives=(("Nærmeste pårørende", f"RelatedPerson/demo-{story.key}-datter"),),
    )
    _before(story, service)
    _fall(story, problems)
    _stay(story, problems)
    _home_again(story, service)
    _plans(story, problems)


def _before(story: Story, service: str) -> None:
    visit = encounter(story, "hjemmebesok-1", "home", "Hjemmebesøk", _HOME, "berit-lundamo",
                      "-17d 09:00", "-17d 09:30", episode=service)
    note(story, "hjemmebesok-1", "home-visit", "-17d 09:35", "berit-lundamo", _HOME, {
        "Observasjon": "Mer tungpusten i trappa enn sist. Lette ødemer i begge legger. Vekt 59,6 "
                       "kg."
                       " Har glemt kveldsdosen av warfarin to ganger denne uka.",
        "Tiltak": "Kontakter fastlege om INR og vanndrivende\nMultidose bestilt på nytt",
    }, encounter=visit)
    gp = encounter(story, "fastlege", "ambulatory", "Konsultasjon hos fastlege",
                   "fjordgata-legesenter", "sigrid-aune", "-15d 11:00", "-15d 11:20",
                   reason="INR-kontroll", place="fjordgata-legesenter")
    note(story, "fastlege", "progress", "-15d 11:25", "sigrid-aune", "fjordgata-legesenter", {
        "Aktuelt": "INR 3,6. Svingt mellom 1,7 og 4,1 det siste året.",
        "Vurdering": "Ustabil warfarinbehandling. Bør byttes til direktevirkende middel, "
                     "nyrefunksjon tatt i betraktning.",
        "Plan": "Ny INR om to uker, drøftes med hjertelege",
    }, encounter=gp)


def _fall(story: Story, problems: dict[str, str]) -> None:
    emergency = encounter(
        story, "legevakt", "emergency", "Legevaktkonsultasjon", _LEGEVAKT, "amir-rostami",
        "-9d 19:30", "-9d 20:50", reason="Fall i hjemmet", place="trondheim-legevakt-rom-4",
        diagnoses=(problems["brudd"],), discharged_to="Innlagt i sykehus",
    )
    note(story, "legevakt", "out-of-hours", "-9d 20:45", "amir-rostami", _LEGEVAKT, {
        "Aktuelt": "Falt på badet kl. 18.30, utløste trygghetsalarm. Husker hele forløpet, ikke "
                   "besvimt. Slo venstre håndledd, ikke hodet. Tiltagende tungpust siste uke.",
        "Funn": "Feilstilling i venstre håndledd, god puls og sans distalt. Knatrelyder basalt "
                "begge lunger, pittingødemer til midt på legg. BT 104/58, puls 112 uregelmessig, "
                "SpO₂ 92 %.",
        "Vurdering": "Distal radiusfraktur hos antikoagulert pasient og forverret hjertesvikt.",
        "Tiltak": "Gipslaske\nParacetamol 1 g og oksykodon 5 mg\nInnlegges, ambulanse bestilt",
        "CAVE": "Penicillin (anafylaksi).",
    }, encounter=emergency)


def _stay(story: Story, problems: dict[str, str]) -> None:
    stay = encounter(
        story, "innleggelse", "inpatient", "Innleggelse", _WARD, "petter-hagbo", "-9d 21:10",
        "-3d 13:00", reason="Forverret hjertesvikt og fall", place="st-olavs-geriatri-rom-214",
        diagnoses=(problems["svikt"], problems["brudd"], problems["flimmer"]),
        discharged_to="Hjem med helsetjenester i hjemmet",
    )
    note(story, "innkomst", "admission", "-9d 22:15", "petter-hagbo", _WARD, {
        "Innleggelsesårsak": "Fall med håndleddsbrudd og forverret hjertesvikt.",
        "Tidligere sykdommer": "Hjertesvikt med EF 35 %\nPermanent atrieflimmer\n"
                               "Kronisk nyresykdom stadium 3\nOsteoporose",
        "Funn": "Våken og klar. NEWS2 7 på legevakten. NT-proBNP 6840, kreatinin 138, INR 4,6.",
        "Vurdering": "Dekompensert hjertesvikt, trolig utløst av uregelmessig legemiddelbruk. "
                     "For høy INR.",
        "Plan": "Furosemid intravenøst\nWarfarin holdes\nFysioterapi og fallutredning",
    }, encounter=stay)
    note(story, "sykepleie-2", "nursing", "-8d 14:30", "mona-hegstad", _WARD, {
        "Observasjon": "Urolig og desorientert i morgentimene, klarere etter frokost. Vekt 61,9 "
                       "kg. "
                       "Mobilisert til stol med én hjelper.",
        "Tiltak": "Tilsyn hver halvtime om natten\nHøreapparat på\nDrikkeliste",
    }, title="Sykepleienotat dagvakt", encounter=stay)
    note(story, "visitt", "progress", "-6d 09:40", "petter-hagbo", _WARD, {
        "Vurdering": "Vekt ned 1,6 kg, mindre ødemer, klar i dag. INR 1,8.",
        "Tiltak": "Apiksaban 2,5 mg × 2 fra i morgen tidlig i stedet for warfarin\n"
                  "Over på furosemid tabletter",
    }, title="Legevisitt", encounter=stay)
    note(story, "epikrise", "discharge", "-3d 12:30", "petter-hagbo", _WARD, {
        "Diagnoser": "Forverret hjertesvikt\nDistal radiusfraktur venstre\nAtrieflimmer",
        "Forløp": "Innlagt etter fall. Behandlet med furosemid intravenøst, vekt fra 61,9 til "
                  "58,4 kg. Kort delirium andre døgn. Bruddet behandles med gips.",
        "Endringer i legemidler": "Warfarin seponert\nApiksaban 2,5 mg × 2 startet\n"
                                  "Furosemid økt fra 40 mg × 1 til 40 mg × 2\n"
                                  "Pantoprazol på prøve uten\nOksykodon avsluttet",
        "Oppfølging": "Vekt daglig, meld fra ved økning over 2 kg på tre dager\n"
                      "Kreatinin og kalium hos fastlege om en uke\n"
                      "Gipskontroll om to uker\nHjertesviktpoliklinikken om fire uker",
    }, encounter=stay)
    changes = (
        ("start", "eliquis-2-5", "Eliquis 2,5 mg: startet, 1 tablett × 2 (i stedet for Marevan)"),
        ("change", "diural-40", "Diural 40 mg: endret fra 1 tablett × 1 til 1 tablett × 2"),
        ("stop", "marevan-2-5", "Marevan 2,5 mg: seponert (ustabil INR og fall)"),
        ("stop", "oxynorm-5", "OxyNorm 5 mg: seponert (ikke lenger behov)"),
        ("pause", "somac-20", "Somac 20 mg: satt på pause (prøves uten i fire uker)"),
    )
    record = reconciled(story, "utskrivning", "discharge", "-3d 12:20", "petter-hagbo", stay,
                        changes)
    for unit in (_HOME, "fjordgata-legesenter"):
        told(story, f"legemidler-{unit[:9]}", record, unit, "-3d 12:20", "-2d 12:20",
             "petter-hagbo", tuple(words for _verb, _line, words in changes))
    note(story, "sykepleiesammenfatning", "nursing-summary", "-3d 12:00", "mona-hegstad", _WARD, {
        "Funksjon": "Går med rullator inne. Trenger hjelp til dusj og påkledning med gips på "
                    "venstre arm. Spiser selv.",
        "Behov": "Tilsyn morgen og kveld, hjelp til kompresjonsstrømper, legemidler i multidose.",
        "Pårørende": "Datter Liv er informert og handler.",
    }, encounter=stay)


def _home_again(story: Story, service: str) -> None:
    for number, (when, text) in enumerate((
        ("-2d 08:30", ("Hjemme første morgen. Sov godt. Lite ødemer. Usikker på de nye tablettene: "
                      "hadde lagt fram gammel warfarin, som er levert til retur.")),
        ("-1d 08:25", ("Vekt opp 0,4 kg. Ikke tungpusten. Smerter 2 av 10. Følger opplegget med "
                      "rullator.")),
    ), start=2):
        visit = encounter(story, f"hjemmebesok-{number}", "home", "Hjemmebesøk", _HOME,
                          "berit-lundamo", when, when[:-2] + "55", episode=service)
        note(story, f"hjemmebesok-{number}", "home-visit", when[:-2] + "50", "berit-lundamo", _HOME,
             {"Observasjon": text, "Tiltak": "Målt vekt og blodtrykk, sett til at morgendosen er "
                                             "tatt."}, encounter=visit,
             photos=(photo(story, "gips", "Gips venstre underarm", when[:-2] + "45",
                           "berit-lundamo"),) if number == 3 else ())
    document(story, "henvisning", "referral", "Henvisning fra legevakt", "-9d 20:48",
             "amir-rostami", _LEGEVAKT,
             "Kvinne 84 år med distal radiusfraktur etter fall og forverret hjertesvikt. "
             "Bruker warfarin. CAVE penicillin. Takk for at dere tar imot.")


def _plans(story: Story, problems: dict[str, str]) -> None:
    stable = goal(story, "vekt", "Stabil vekt under 59,5 kg", "-3d")
    safe = goal(story, "fall", "Ingen nye fall", "-3d")
    care_plan(
        story, "hjemme", "Tiltaksplan hjemmetjenesten", "-3d", "berit-lundamo",
        (("Morgentilsyn med vekt", "hver dag"), ("Kveldstilsyn", "hver dag"),
         ("Dusj", "tirsdag og fredag"), ("Kompresjonsstrømper", "på om morgenen, av om kvelden"),
         ("Legemidler", "multidose, se til at de tas"),
         ("Fallforebygging", "rullator, fjerne matter, nattlys")),
        goals=(stable, safe), conditions=(problems["svikt"], problems["brudd"]),
    )
    follow_up = service_request(
        story, "hjertesvikt", "Hjertesviktpoliklinikken, kontroll etter innleggelse", "Henvisning",
        "-3d 12:35", by="petter-hagbo", to=_CLINIC, reason="Forverret hjertesvikt", wanted="+5w",
    )
    appointment(story, "hjertesvikt", "Hjertesviktpoliklinikken", _CLINIC, "+25d 10:30", 45,
                by="eli-strandberg", based_on=follow_up,
                instruction="Ta med vektlisten fra hjemmetjenesten.")
    appointment(story, "morgen", "Morgentilsyn med vekt", _HOME, "+0d 08:30", 30,
                by="berit-lundamo", instruction="Nøkkelboks ved inngangsdøren.")
    appointment(story, "kveld", "Kveldstilsyn", _HOME, "+0d 20:30", 20)
    waits(story, "epikrise", ("letter", "Brev å lese"),
          "Epikrise fra Geriatrisk sengepost etter fallet: furosemid er økt.", _HOME,
          "-2d 15:00", "+1d 15:00", by="petter-hagbo", owner="berit-lundamo",
          passed_on=(("+2d 15:00", _HOME),))
    appointment(story, "blodprove", "Blodprøver hos fastlege", "fjordgata-legesenter", "+4d 09:15",
                15, by="sigrid-aune")
    task(story, "legemiddelsamstemming", "Samstemme legemiddellisten etter utskrivning", _HOME,
         "-3d 13:10", "+1d 12:00", by="petter-hagbo", owner="berit-lundamo", priority="urgent",
         status="in-progress")
    task(story, "kreatinin", "Kreatinin og kalium etter økt furosemid", "fjordgata-legesenter",
         "-3d 12:40", "+4d 15:00", by="petter-hagbo", owner="sigrid-aune")
    task(story, "badematte", "Bestille sklisikker matte og dusjkrakk", _HOME, "-2d 09:00", "+6d",
         by="berit-lundamo", owner="fatima-noor", status="accepted")
