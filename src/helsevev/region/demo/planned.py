"""What is planned for some inhabitants of the demo, as tables: `care_plan.demo` begins it."""

# Read as tables, one fact a line.
# fmt: off
from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Begun(NamedTuple):
    """A plan of the content for an inhabitant, begun `ago` days ago by somebody at a unit.

    `problem` begins the words of what it is for, `besides` are actions chosen beside those that
    are proposed, `taken` how many days after the start each step was taken, `instead` the id of
    the plan of the story that it takes the place of. `says` is the last
    word about a measure.
    """

    patient: str
    plan: str
    by: tuple[str, str]
    unit: tuple[str, str]
    ago: int
    problem: str = ""
    besides: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    taken: Mapping[str, int] = {}
    instead: str = ""
    says: tuple[str, str] = ("", "")


BERIT: Final = ("Practitioner/berit-lundamo", "Berit Lundamo")
FATIMA: Final = ("Practitioner/fatima-noor", "Fatima Noor")
HOME: Final = ("Organization/trondheim-hjemmetjeneste-ost", "")
PLANS: Final = (
    Begun(patient="aslaug", plan="heart_failure_at_home", by=BERIT, unit=HOME, ago=12,
           problem="Hjertesvikt", besides=("stockings",), instead="demo-aslaug-plan-hjemme",
           says=("weigh", "Stabil på 59 kg siden hun kom hjem.")),
    Begun(patient="aslaug", plan="fall_prevention", by=BERIT, unit=HOME, ago=10,
           problem="Osteoporose"),
    Begun(patient="aslaug", plan="reablement_pathway", by=BERIT, unit=HOME, ago=12,
           without=("train",), taken={"map": 2, "home": 6}),
    Begun(patient="marit", plan="leg_ulcer", by=BERIT, unit=HOME, ago=40,
           problem="Diabetisk fotsår", instead="demo-marit-plan-sar",
           says=("dress", "Mindre sekresjon, ren bunn.")),
    Begun(patient="dagny", plan="undernutrition",
           by=("Practitioner/annemette-brekken", "Anne Mette Brekken"),
           unit=("Organization/trondheim-bakkehaugen-2", ""), ago=60, problem="Demens",
           without=("record",), instead="demo-dagny-plan-omsorg"),
    Begun(patient="dagny", plan="dementia_unrest",
           by=("Practitioner/annemette-brekken", "Anne Mette Brekken"),
           unit=("Organization/trondheim-bakkehaugen-2", ""), ago=9, problem="Demens",
           says=("company", "Synger med, roligere til kvelden.")),
    Begun(patient="kare", plan="copd_exacerbation",
           by=("Practitioner/magnus-tverdal", "Magnus Tverdal"),
           unit=("Organization/st-olavs-lunge", ""), ago=2, problem="Kronisk obstruktiv",
           instead="demo-kare-plan-lunge"),
    Begun(patient="eira", plan="growth_follow_up",
           by=("Practitioner/karianne-fossum", "Kari-Anne Fossum"),
           unit=("Organization/trondheim-helsestasjon-ost", ""), ago=9, problem="Prematurt",
           instead="demo-eira-plan-vekst"),
    Begun(patient="jonas", plan="adult_pathway",
           by=("Practitioner/henrik-vang", "Henrik Vang"),
           unit=("Organization/nidaro-dps", ""), ago=16, problem="Moderat depressiv",
           taken={"risk": 1, "coordinator": 5}),
    Begun(patient="silje", plan="gestational_diabetes",
           by=("Practitioner/hilde-saether", "Hilde Sæther"),
           unit=("Organization/trondheim-helsestasjon-ost", ""), ago=6,
           problem="Svangerskapsdiabetes", instead="demo-silje-plan-svangerskap"),
)
LEVELS: Final = {
    "7": 3, "8": 3, "10": 1, "11": 2, "5": 2, "12": 4, "6": 4, "9": 3, "2": 4, "18": 2, "4": 3,
    "15": 1, "16": 1, "3": 1, "17": 1, "1": 2, "13": 2, "14": 3,
}

DECISIONS: Final = (
    ("home_health", "6", ("Bor alene. Hjertesvikt som må følges daglig, og trenger hjelp til "
                          "personlig hygiene etter bruddet i håndleddet.")),
    ("practical_help", "1", "Kan ikke gjøre rent eller handle med gips og rullator."),
    ("safety_alarm", "", "To fall siste halvår, alene om natten."),
)
"""(kind, how much, why) of what is decided for Aslaug."""

IMPORTANT: Final = "Å bo hjemme, gå på kafé med Liv på torsdager, og slippe å falle igjen."
CONSENT: Final = "Aslaug ønsker planen og at datteren Liv, fastlegen og sykehuset er med."
GOAL: Final = "Går til kafeen på egen hånd"
MEASURE: Final = ("Gå til kafeen sammen med Liv", "Liv henter, rullator med kurv.", "Pårørende")
EVALUATION: Final = "Møte i ansvarsgruppen: Aslaug har gått ut to ganger."
TITLE: Final = "Individuell plan"
CARRIED_ON: Final = "Ført videre i ny plan."
