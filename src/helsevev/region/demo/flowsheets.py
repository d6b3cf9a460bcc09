"""A day and night of a monitored patient's flowsheet: typed, repeated, and from devices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from .codes import LOINC, Resource, coding, concept, hl7
from .measurements import MEASURES, quantity
from .story import Story, ref, staff

OWN: Final = "http://helsevev.no/fhir/CodeSystem/flowsheet"
HOW: Final = "http://helsevev.no/fhir/CodeSystem/how-observed"
_HOURS: Final = 24


class Kept(NamedTuple):
    """A row of the sheet: its key and words, its category, its unit (label, UCUM) if a number."""

    key: str
    label: str
    category: str = "exam"
    unit: tuple[str, str] | None = None
    loinc: str = ""


# What is set and looked at, and mostly as before: (row, what it was, from which hour otherwise).
_CARRIED: Final = (
    (Kept("support", "Pustestøtte", "therapy"), (("B", "BiPAP"), ("N", "Nesebrille")), 9),
    (Kept("ipap", "IPAP", "therapy", ("cmH₂O", "cm[H2O]")), ("14", "14"), 9),
    (Kept("epap", "EPAP/PEEP", "therapy", ("cmH₂O", "cm[H2O]")), ("6", "6"), 9),
    (Kept("rhythm", "Rytme"), (("ST", "Sinustakykardi"), ("SR", "Sinusrytme")), 7),
    (Kept("perfusion", "Perifer sirkulasjon"), (("K", "Kjølig"), ("V", "Varm")), 5),
    (Kept("line", "Perifert kateter, innstikk"), (("0", "Uten anmerkning"),) * 2, 0),
    (Kept("alarm", "Alarmgrenser sjekket", "procedure"), (("J", "Ja"),) * 2, 0),
)  # fmt: skip
# Fluids by hour of the story, in mL.
_FLUIDS: Final = (
    (Kept("infusion", "Infusjon", "procedure", ("mL", "mL")), dict.fromkeys(range(14), "80")),
    (Kept("drink", "Drikke", "procedure", ("mL", "mL")),
     {1: "100", 3: "150", 7: "200", 9: "150", 12: "250", 15: "200", 17: "150", 20: "200",
      22: "150"}),
    (Kept("urine", "Timediurese", "procedure", ("mL", "mL"), "9187-6"),
     {0: "35", 2: "60", 4: "80", 6: "110", 8: "150", 10: "180", 13: "220", 16: "200", 19: "180",
      21: "150", 23: "120"}),
)  # fmt: skip
# Every second hour a nurse reads the tidal volume and looks at how he breathes.
_TIDAL: Final = ["410", "420", "430", "425", "440", "450", "455", "460", "470", "465", "480", "490"]
_EFFORT: Final = (("A", "Anstrengt"), ("N", "Uanstrengt"))


def monitored(story: Story, stay: str, by: str, other: str) -> None:
    """The last day and night, hour by hour; `by` works days and `other` nights."""
    now = story.time.now.replace(minute=0, second=0)
    first = now - timedelta(hours=_HOURS - 1)
    for kept, (early, late), until in _CARRIED:
        _carried(story, stay, first, kept, early, late, until, by, other)
    for kept, by_hour in _FLUIDS:
        for hour, amount in by_hour.items():
            at = first + timedelta(hours=hour)
            if at <= story.time.now:
                _add(story, stay, kept, amount, at, _on_duty(at, by, other))
    for step, amount in enumerate(_TIDAL[:5]):
        at = first + timedelta(hours=step * 2)
        tidal = Kept("tidal", "Tidevolum", "therapy", ("mL", "mL"))
        _add(story, stay, tidal, amount, at, _on_duty(at, by, other))
    for hour in range(0, _HOURS, 2):
        at = first + timedelta(hours=hour)
        said = _EFFORT[hour >= 10]
        _add(story, stay, Kept("breath", "Pustearbeid"), said, at, _on_duty(at, by, other))
    _from_the_monitor(story, stay, now)


def _on_duty(at: datetime, by: str, other: str) -> str:
    return by if 7 <= at.hour < 22 else other


def _carried(
    story: Story, stay: str, first: datetime, kept: Kept, early: Any, late: Any, until: int,
    by: str, other: str,
) -> None:  # fmt: skip
    before = ""
    for hour in range(_HOURS):
        at = first + timedelta(hours=hour)
        is_changed = hour in (0, until)
        said = early if hour < until else late
        # The mask comes off: what was set on it is set no longer.
        if kept.unit is not None and until and hour >= until:
            return
        source = "" if is_changed else before
        before = _add(story, stay, kept, said, at, _on_duty(at, by, other), source)


def _add(
    story: Story, stay: str, kept: Kept, said: Any, at: datetime, by: str, source: str = ""
) -> str:
    code = coding(LOINC, kept.loinc) if kept.loinc else coding(OWN, kept.key)
    value: Resource
    if kept.unit is not None:
        value = {"valueQuantity": quantity(Decimal(said), *kept.unit)}
    else:
        value = {"valueCodeableConcept": concept(said[1], coding(OWN, said[0]))}
    if source:
        value |= {
            "method": concept("som før", coding(HOW, "as-before", "As before")),
            "derivedFrom": [ref(source)],
        }
    # Named by how long ago it was, so that a story that is told again replaces it.
    ago = (story.time.now.replace(minute=0, second=0) - at) // timedelta(hours=1)
    return story.add(
        "Observation", f"ark-{kept.key}-{ago:02}", status="final",
        category=[concept(None, coding(hl7("observation-category"), kept.category))],
        code=concept(kept.label, code), subject=story.subject(), encounter=ref(stay),
        effectiveDateTime=at.isoformat(), performer=[staff(by)], **value,
    )  # fmt: skip


def _from_the_monitor(story: Story, stay: str, now: datetime) -> None:
    """What the monitor by the bed has sent in the last hours, which nobody has confirmed."""
    monitor = story.add(
        "Device", "monitor", status="active", patient=story.subject(),
        deviceName=[{"name": "Overvåkingsmonitor, seng 312", "type": "user-friendly-name"}],
    )  # fmt: skip
    sent = (
        ("pulse", ("92", "90", "89", "88")), ("spo2", ("90", "91", "90", "91")),
        ("respiration", ("21", "20", "20", "19")),
    )  # fmt: skip
    for number, (what, at, value) in enumerate(_sent(sent, now)):
        measure = MEASURES[what]
        story.add(
            "Observation", f"monitor-{number}", status="preliminary",
            category=[concept(None, coding(hl7("observation-category"), measure.category))],
            code=concept(measure.text, measure.code), subject=story.subject(),
            encounter=ref(stay), effectiveDateTime=at.isoformat(),
            device={"reference": monitor, "display": "Overvåkingsmonitor, seng 312"},
            valueQuantity=quantity(Decimal(value), measure.unit, measure.ucum),
        )  # fmt: skip


def _sent(
    sent: tuple[tuple[str, tuple[str, ...]], ...], now: datetime
) -> Iterator[tuple[str, datetime, str]]:
    for what, values in sent:
        for back, value in enumerate(reversed(values)):
            yield what, now - timedelta(hours=back, minutes=-1 if back else 0), value
