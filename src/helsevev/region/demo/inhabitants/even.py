"""Even Stavik, 30: healthy, and a record with almost nothing in it."""

# A story is read as a table, one fact a line.
# fmt: off
from __future__ import annotations

from ..contacts import encounter
from ..home import Place
from ..measurements import blood_pressure
from ..notes import note
from ..people import patient
from ..problems import condition, immunization
from ..story import Story

STORY = "Frisk; én konsultasjon og én vaksine. Viser hvordan en nesten tom journal ser ut."
_GP = "fjordgata-legesenter"


def tell(story: Story) -> None:
    """Everything in his record."""
    patient(
        story, "Even", "Stavik", "male", story.time.birth_date(30, 10, 1),
        Place("Elvesletta 2", "7224", "Melhus", "5028", "Melhus"), phone="+4710110101",
        married="ugift",
    )
    condition(story, "ankel", "Forstuet ankel, høyre", since="-2y", until="-23mo",
              status="resolved", by="sigrid-aune",
              icpc2=("L77", "Forstuving/forstrekking ankel"))
    visit = encounter(story, "ankel", "ambulatory", "Konsultasjon hos fastlege", _GP, "sigrid-aune",
                      "-2y 14:00", "-2y 14:15", reason="Vond ankel", place=_GP)
    note(story, "ankel", "progress", "-2y 14:20", "sigrid-aune", _GP, {
        "Aktuelt": "Tråkket over på fjelltur i går. Går med støtte.",
        "Vurdering": "Forstuet ankel. Ikke trykkømhet over bein, ikke behov for røntgen.",
    }, encounter=visit)
    blood_pressure(story, "122/76", "-2y 14:10", "sigrid-aune")
    immunization(story, "stivkrampe", "Difteri, stivkrampe, kikhoste og polio, oppfrisking",
                 "-1y 09:00", product=None, atc="J07CA02", by="sigrid-aune", at=_GP, dose=5)
