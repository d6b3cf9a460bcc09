"""All that the gate offers, put together over one database, for pages, the API and jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from helsevev.access import (
    blocking,
    replaced_person,
    representing,
    staff_standing,
    terminology_resources,
    treatment_relation,
)
from helsevev.access.apps.door import Apps, apps_over
from helsevev.access.card_log import CardLog
from helsevev.access.chart_search import ChartSearch
from helsevev.access.documents import Documents
from helsevev.access.draft import Drafts
from helsevev.access.draft_files import DraftFiles
from helsevev.access.everything import Everything
from helsevev.access.export.exports import Exports
from helsevev.access.gate import Gate
from helsevev.access.history import History
from helsevev.access.knowledge_base import KnowledgeBase
from helsevev.access.labels_in_use import LabelsInUse
from helsevev.access.limits import Limits
from helsevev.access.live import Live
from helsevev.access.medicine_figures import MedicineFigures
from helsevev.access.medicines import Medicines
from helsevev.access.observation_summary import ObservationSummaries
from helsevev.access.packs import Packs
from helsevev.access.people import People
from helsevev.access.person_matching import PersonMatcher
from helsevev.access.person_merging import PersonMerger
from helsevev.access.scan_counts import ScanCounts
from helsevev.access.searched_codes import SearchedCodes
from helsevev.access.searching import Searcher
from helsevev.access.session import Credentials
from helsevev.access.subscriptions.door import SubscriptionDoor
from helsevev.access.subscriptions.sending import Notifier
from helsevev.access.subscriptions.streams import Streams
from helsevev.access.subscriptions.wiring import Outward, writer_over
from helsevev.access.terminology import Terminology
from helsevev.access.transaction import Bundles
from helsevev.access.unit_times import TimesOfUnits
from helsevev.access.views import Views
from helsevev.access.waiting import Waiting
from helsevev.access.writing import Writer
from helsevev.fhir.custom_parameters import check
from helsevev.fhir.views import keeping
from helsevev.kit.chapter import Rule, RuleBeside
from helsevev.kit.projection import Projection
from helsevev.record import custom_parameters
from helsevev.record.changes import Feed
from helsevev.record.database import Database
from helsevev.record.indexing import Indexer
from helsevev.record.packing import Packer
from helsevev.record.reindexing import Reindexer
from helsevev.record.roles import Roles
from helsevev.record.store import Store

_PROJECTIONS: Final = (
    treatment_relation.PROJECTION, terminology_resources.PROJECTION, custom_parameters.PROJECTION,
    replaced_person.PROJECTION, blocking.PROJECTION, representing.PROJECTION,
    staff_standing.PROJECTION,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Services:
    """The gate's verbs by what they do."""

    gate: Gate
    writer: Writer
    searcher: Searcher
    bundles: Bundles
    history: History
    people: People
    summaries: ObservationSummaries
    documents: Documents
    person_matcher: PersonMatcher
    person_merger: PersonMerger
    drafts: Drafts
    draft_files: DraftFiles
    live: Live
    credentials: Credentials
    apps: Apps
    feed: Feed
    terminology: Terminology
    medicines: Medicines
    medicine_figures: MedicineFigures
    subscriptions: SubscriptionDoor
    streams: Streams
    notifier: Notifier
    exports: Exports
    indexer: Indexer
    reindexer: Reindexer
    packer: Packer
    everything: Everything
    views: Views
    labels_in_use: LabelsInUse
    limits: Limits
    card_log: CardLog
    scan_counts: ScanCounts
    knowledge_base: KnowledgeBase
    unit_times: TimesOfUnits
    packs: Packs
    chart_search: ChartSearch
    waiting: Waiting


def services_over(
    database: Database,
    rules: Mapping[str, Rule],
    projections: tuple[Projection, ...] = (),
    outward: Outward | None = None,
    exports: Path | None = None,
    keys_folder: Path | None = None,
    beside: Mapping[str, RuleBeside] | None = None,
) -> Services:
    """The services over an open, migrated database, with the chapters' rules and read models.

    `outward` says where notifications may be sent, `exports` in which folder the files of exports
    are kept, `keys_folder` where the key is that apps know us by; None: nowhere.
    """
    roles = Roles(database)
    store = Store(roles, (*_PROJECTIONS, *projections))
    feed = Feed(roles.whole)
    gate = Gate(store)
    outward, people = outward or Outward(), People(gate)
    gate.permits.on_forgotten.append(feed.tell_ties)
    feed.on_ties(gate.permits.drop)
    rules = {**rules, "SearchParameter": check, "Library": keeping.check}
    writer, subscriptions, streams, notifier = writer_over(gate, feed, rules, outward, beside)
    terminology = Terminology(store)
    searcher = Searcher(gate, SearchedCodes(terminology, store))
    exporting = Exports(gate, exports)
    credentials = Credentials(roles.program)
    return Services(
        gate=gate, writer=writer, searcher=searcher, bundles=Bundles(writer, searcher),
        history=History(gate),
        people=people,
        documents=Documents(gate, writer),
        summaries=ObservationSummaries(searcher),
        person_merger=PersonMerger(gate, writer),
        person_matcher=PersonMatcher(gate, people),
        drafts=Drafts(roles.changed), draft_files=DraftFiles(roles.changed),
        live=Live(gate, feed),
        credentials=credentials,
        apps=apps_over(gate, credentials, outward, keys_folder),
        feed=feed,
        terminology=terminology,
        medicines=Medicines(store),
        medicine_figures=MedicineFigures(gate, people),
        subscriptions=subscriptions, streams=streams, notifier=notifier,
        exports=exporting,
        indexer=Indexer(roles.whole),
        reindexer=Reindexer(store),
        packer=Packer(roles.owner),
        everything=Everything(gate),
        views=Views(gate, exporting),
        labels_in_use=LabelsInUse(gate),
        limits=Limits(roles.program),
        card_log=CardLog(gate),
        scan_counts=ScanCounts(roles.program),
        knowledge_base=KnowledgeBase(roles.program),
        unit_times=writer.unit_times,
        waiting=Waiting(gate), packs=Packs(roles.program),
        chart_search=ChartSearch(gate),
    )  # fmt: skip
