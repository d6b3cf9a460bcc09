"""The chart as templates see it: slices in, every panel worked out once, when it is drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from msgspec import Struct

from helsevev.access.slices import Slice
from helsevev.care_plan.panel import Plans, plans
from helsevev.care_plan.task_shown import is_to_come
from helsevev.chart.labels import label
from helsevev.chart.overview import Planned, Reason, is_new, news, planned, reasons
from helsevev.chart.result_rows import SPARK_POINTS, ResultRow, ScoreCard, rows, score_card
from helsevev.chart.timeline import Event, timeline, types
from helsevev.documentation.forms.answered import AnsweredForm, answered_forms
from helsevev.documentation.panel import Document, documents
from helsevev.fhir.reading import (
    full_name,
    mapping,
    moment_of,
    objects,
    of_patient,
    reference_key,
    reference_text,
    sort_key,
    text,
)
from helsevev.medication.panel import Medicines, medicines
from helsevev.medication.reconciliation.standing import Reconciling, reconciling
from helsevev.observation.reading import TIMES
from helsevev.observation.results import Trend, trends
from helsevev.observation.results_due import awaiting, is_critical, title_of
from helsevev.patient.banner import Banner, banner
from helsevev.patient.contacts import Contacts, contacts
from helsevev.patient.problems import Problems, problems

ALL: Final = 5000
"""More of one type than any chart holds; what is shown says so when it is reached."""

NEWS2_CODES: Final = frozenset({"1104051000000101", "88330-6", "1104301000000104"})
_PAST_CONTACTS: Final = 8
_CROWDED: Final = timedelta(days=7)
_MEASURED: Final = ("vital-signs", "survey", "exam", "activity", "therapy", "procedure")


class Panel(Struct, frozen=True):
    """A part of the chart with its own address: what it reads, on the overview and in full."""

    key: str
    overview: Mapping[str, int]
    full: Mapping[str, int]

    @property
    def types(self) -> str:
        """The resource types whose changes concern it, as the page's attribute wants them."""
        return " ".join(self.full)


def _panel(key: str, **slices: int) -> Panel:
    return Panel(key, slices, {kind: max(ALL, most) for kind, most in slices.items()})


# What decides about safety is read whole everywhere: a medicine in use or an allergy may be the
# oldest entry there is. Only what is shown newest first is cut on the overview.
_PEOPLE = {"Encounter": 300, "EpisodeOfCare": ALL, "CareTeam": ALL}
PANELS: Final[Mapping[str, Panel]] = {
    panel.key: panel
    for panel in (
        _panel("banner", Patient=1, AllergyIntolerance=ALL, Flag=ALL, **_PEOPLE),
        _panel("overview", Condition=ALL, Appointment=50, CarePlan=50, Task=50, ServiceRequest=50,
               **_PEOPLE),
        _panel("problems", Condition=ALL),
        _panel("medications", MedicationRequest=ALL, MedicationStatement=ALL, Medication=ALL,
               List=20, Encounter=300),
        _panel("measurements", Observation=250),
        _panel("results", Observation=250, Task=50, DiagnosticReport=12),
        _panel("notes", Composition=8, DocumentReference=8, DiagnosticReport=12),
        _panel("forms", QuestionnaireResponse=8),
        _panel("documents", DocumentReference=8, DiagnosticReport=12),
        _panel("contacts", **_PEOPLE),
        _panel("allergies", AllergyIntolerance=ALL, Flag=ALL),
        _panel("plans", Appointment=50, CarePlan=50, Task=50, ServiceRequest=50, Goal=50,
               Condition=ALL, **_PEOPLE),
        _panel("timeline", **dict.fromkeys(sorted(types()), ALL)),
    )
}  # fmt: skip
OVERVIEW: Final = (
    "banner", "overview", "problems", "medications", "measurements", "results", "notes",
    "forms", "contacts",
)  # fmt: skip
_FOLLOWED: Final = " ".join(dict.fromkeys(kind for key in OVERVIEW for kind in PANELS[key].full))


# What has ended is read where it is shown: of orders where all are, of contacts the newest beside
# what goes on and is to come. Statements are read whole: one that ended may stand for an order that
# nobody closed.
_ENDED: Final[Mapping[str, tuple[tuple[str, ...], int]]] = {
    "MedicationRequest": (("completed", "stopped", "cancelled", "entered-in-error"), 0),
    "Encounter": (("finished", "cancelled", "entered-in-error"), 2 * _PAST_CONTACTS),
    "Task": (("completed", "failed", "rejected", "cancelled", "entered-in-error"), 200),
}
_SHOWS_ENDED: Final = {
    "MedicationRequest": frozenset({"medications", "timeline"}),
    "Encounter": frozenset({"contacts", "timeline"}),
    "Task": frozenset({"timeline"}),
}


def slices_of(keys: Collection[str], *, full: bool = False) -> list[Slice]:
    """What is read for some panels together."""
    wanted: dict[str, int] = {}
    for key in keys:
        panel = PANELS[key]
        for kind, most in (panel.full if full else panel.overview).items():
            wanted[kind] = max(most, wanted.get(kind, 0))
    return [
        Slice(kind, most)
        if kind not in _ENDED or (full and not _SHOWS_ENDED[kind].isdisjoint(keys))
        else Slice(kind, most, *_ENDED[kind])
        for kind, most in wanted.items()
    ]


def crowded(
    found: Mapping[str, Sequence[Mapping[str, Any]]], wanted: Iterable[Slice]
) -> list[Slice]:
    """What is to be read besides, where the newest are all of a few days: a monitored patient's.

    What was not measured at the bedside is read once more by itself; it is older than what is
    there, so that the newest still come first.
    """
    for piece in wanted:
        listed = found.get(piece.type, ())
        if piece.type != "Observation" or len(listed) < piece.limit or piece.limit >= ALL:
            continue
        oldest, newest = (sort_key(moment_of(listed[n], *TIMES)) for n in (-1, 0))
        if newest - oldest < _CROWDED:
            return [Slice(piece.type, piece.limit, apart=_MEASURED)]
    return []


class ChartView:
    """One inhabitant's chart, as far as the slices go. Each panel is worked out when first used."""

    def __init__(
        self,
        resources: Mapping[str, Sequence[Mapping[str, Any]]],
        *,
        patient_id: str,
        now: datetime,
        reader: str,
        since: datetime | None = None,
        names: Mapping[str, str] | None = None,
        full: bool = False,
    ) -> None:
        self.resources = resources
        self.patient_id = patient_id
        self.base = f"/patient/{patient_id}"
        self.now = now
        self.reader = reader
        self.since = since
        self.names = names
        self.full = full

    def url(self, key: str) -> str:
        """The address of a panel by itself, which keeps what was new when the page was opened."""
        since = int(self.since.timestamp() * 1e6) if self.since else 0
        return f"{self.base}/panel/{key}?since={since}{'&full=1' if self.full else ''}"

    label = staticmethod(label)

    def types(self, key: str) -> str:
        """The resource types that a panel follows; what is new ("news") follows all of them."""
        return PANELS[key].types if key in PANELS else _FOLLOWED

    @cached_property
    def new(self) -> frozenset[str]:
        """ "Type/id" of everything that others wrote since the reader last looked."""
        if self.since is None:
            return frozenset()
        since = self.since
        return frozenset(
            f"{kind}/{resource.get('id')}"
            for kind, listed in self.resources.items()
            for resource in listed
            if is_new(resource, since, self.reader) and not is_to_come(resource)
        )

    def count_new(self, *kinds: str) -> int:
        """How many new entries there are of some types."""
        return sum(key.split("/", 1)[0] in kinds for key in self.new)

    def of(self, kind: str) -> Sequence[Mapping[str, Any]]:
        """The slice of a type; empty when it was not asked for."""
        return self.resources.get(kind, ())

    @cached_property
    def contacts(self) -> Contacts:
        """Contacts and courses."""
        past = None if self.full else _PAST_CONTACTS
        return contacts(self.of("Encounter"), self.of("EpisodeOfCare"), self.names, past=past)

    @cached_property
    def banner(self) -> Banner:
        """Who this is."""
        return banner(self.resources, self.now, self.names, self.contacts)

    @cached_property
    def problems(self) -> Problems:
        """Conditions."""
        return problems(self.of("Condition"), self.names)

    @cached_property
    def medicines(self) -> Medicines:
        """Medicines; those no longer taken only in full."""
        return medicines(
            self.of("MedicationRequest"), self.of("MedicationStatement"), self.of("Medication"),
            now=self.now, names=self.names, with_stopped=self.full,
        )  # fmt: skip

    @cached_property
    def reconciling(self) -> Reconciling:
        """Whether the medicines are reconciled in the stay that goes on, and what was left open."""
        return reconciling(self.of("List"), self.of("Encounter"))

    @cached_property
    def trends(self) -> list[Trend]:
        """All measurements by code."""
        return trends(self.of("Observation"), self.names, depth=SPARK_POINTS)

    @cached_property
    def scores(self) -> list[ScoreCard]:
        """NEWS2, when it was taken, then what forms came to, the newest first."""
        found = [score_card(t) for t in self.trends if is_score(t)]
        found.sort(key=lambda score: score.time or "", reverse=True)
        return sorted(found, key=lambda score: score.code not in NEWS2_CODES)

    @cached_property
    def measurements(self) -> list[ResultRow]:
        """Vital signs, scores and findings."""
        return rows(t for t in self.trends if t.category in _MEASURED and not is_score(t))

    @cached_property
    def results(self) -> list[ResultRow]:
        """Laboratory and everything else that was measured, in the order of the content."""
        return rows(t for t in self.trends if t.category not in _MEASURED)

    @cached_property
    def awaiting_results(self) -> list[tuple[str, str, str, bool]]:
        """(id, title, who is asked, whether it is critical) of results that wait for somebody."""
        named = awaiting(self.of("Task"))
        found = [
            (key, text(mapping(task.get("code")).get("text")), reference_text(task.get("owner")),
             is_critical(task))
            for key, task in named.items()
        ]  # fmt: skip
        return sorted(found, key=lambda each: not each[3])

    @cached_property
    def reports(self) -> list[tuple[str, str, str]]:
        """(id, title, when) of what laboratories and departments have answered, newest first."""
        return [
            (text(each.get("id")), title_of(each), text(each.get("issued")))
            for each in of_patient(self.of("DiagnosticReport"))
        ][:40]

    @cached_property
    def newest_results(self) -> list[ResultRow]:
        """The results with the newest answers first."""
        return sorted(self.results, key=lambda row: row.time or "", reverse=True)

    @cached_property
    def forms(self) -> list[AnsweredForm]:
        """Signed forms, the newest first."""
        return answered_forms(self.of("QuestionnaireResponse"))

    @cached_property
    def documents(self) -> list[Document]:
        """Notes, documents and reports with text."""
        return documents(
            self.of("Composition"), self.of("DocumentReference"), self.of("DiagnosticReport"),
            self.names,
        )  # fmt: skip

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the person is here."""
        return reasons(self.contacts, self.problems)

    @cached_property
    def planned(self) -> tuple[Planned, ...]:
        """What is to happen."""
        return planned(self.resources, self.contacts, self.now, self.names)

    @cached_property
    def care(self) -> Plans:
        """Plans, what they ask for now, and decisions on services."""
        return plans(self.resources, self.now, self.names)

    @cached_property
    def news(self) -> tuple[Event, ...]:
        """What others wrote since the reader last looked."""
        return news(self.resources, self.since, self.reader, self.names)

    @cached_property
    def events(self) -> list[Event]:
        """The timeline."""
        return timeline(self.resources, self.names)

    def is_cut(self, kind: str) -> bool:
        """True when there may be more of a type than was read."""
        limits = {piece.type: piece.limit for piece in slices_of(OVERVIEW, full=self.full)}
        return len(self.of(kind)) >= limits.get(kind, ALL)


def is_score(trend: Trend) -> bool:
    """Whether it is a sum that is kept with its parts: NEWS2, or what a form came to."""
    parts = trend.latest.parts
    is_sum = len(parts) > 1 and parts[0].amount is not None and parts[0].amount.value is not None
    return trend.code in NEWS2_CODES or (trend.category == "survey" and is_sum)


def unnamed(resources: Mapping[str, Sequence[Mapping[str, Any]]]) -> set[tuple[str, str]]:
    """(type, id) of people and units that the slices refer to without saying their names."""
    found: set[tuple[str, str]] = set()
    for kind, elements in _NAMING.items():
        for resource in resources.get(kind, ()):
            for element in elements:
                if (value := resource.get(element)) is not None:
                    _collect(value, found, 0)
    return found


_NAMING: Final[Mapping[str, tuple[str, ...]]] = {
    "Patient": ("generalPractitioner",),
    "Encounter": ("participant", "serviceProvider", "location"),
    "EpisodeOfCare": ("managingOrganization", "careManager"),
    "CareTeam": ("participant", "managingOrganization"),
    "Condition": ("recorder", "asserter"),
    "AllergyIntolerance": ("recorder", "asserter"),
    "Flag": ("author",),
    "MedicationRequest": ("requester",),
    "MedicationStatement": ("informationSource",),
    "Observation": ("performer",),
    "Composition": ("author", "attester", "custodian"),
    "DocumentReference": ("author", "custodian"),
    "DiagnosticReport": ("performer", "resultsInterpreter"),
    "Appointment": ("participant",),
    "ServiceRequest": ("performer",),
    "Task": ("owner",),
}
_NAMED: Final = frozenset({"Practitioner", "PractitionerRole", "Organization", "Location"})
_INNER: Final = ("individual", "member", "party", "actor", "location", "onBehalfOf")


def _collect(value: object, found: set[tuple[str, str]], depth: int) -> None:
    for item in objects(value):
        if "reference" in item:
            if not item.get("display"):
                kind, _, key = reference_key(item).partition("/")
                if kind in _NAMED and key:
                    found.add((kind, key))
        elif depth < 2:
            for inner in _INNER:
                if inner in item:
                    _collect(item[inner], found, depth + 1)


def names_of(resources: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """ "Type/id" -> what to call it, of practitioners, organisations and places."""
    named = {}
    for resource in resources:
        kind = text(resource.get("resourceType"))
        name = resource.get("name")
        said = full_name(name) if kind == "Practitioner" else text(name)
        if kind == "PractitionerRole":
            said = text(mapping(resource.get("practitioner")).get("display"))
        if said:
            named[f"{kind}/{resource.get('id')}"] = said
    return named
