"""All that the gate offers, put together over one database, for pages, the API and jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from helsevev.access import treatment_relation
from helsevev.access.draft import Drafts
from helsevev.access.gate import Gate
from helsevev.access.history import History
from helsevev.access.live import Live
from helsevev.access.people import People
from helsevev.access.searching import Searcher
from helsevev.access.session import Credentials
from helsevev.access.transaction import Bundles
from helsevev.access.writing import Writer
from helsevev.kit.chapter import Rule
from helsevev.kit.projection import Projection
from helsevev.record.changes import Feed
from helsevev.record.database import Database
from helsevev.record.store import Store


@dataclass(frozen=True, slots=True)
class Services:
    """The gate's verbs by what they do."""

    gate: Gate
    writer: Writer
    searcher: Searcher
    bundles: Bundles
    history: History
    people: People
    drafts: Drafts
    live: Live
    credentials: Credentials
    feed: Feed


def services_over(
    database: Database, rules: Mapping[str, Rule], projections: tuple[Projection, ...] = ()
) -> Services:
    """The services over an open, migrated database, with the chapters' rules and read models."""
    store = Store(database, (treatment_relation.PROJECTION, *projections))
    feed = Feed(database)
    gate = Gate(store)
    writer = Writer(gate, feed, rules)
    searcher = Searcher(gate)
    return Services(
        gate=gate,
        writer=writer,
        searcher=searcher,
        bundles=Bundles(writer, searcher),
        history=History(gate),
        people=People(gate),
        drafts=Drafts(database),
        live=Live(gate, feed),
        credentials=Credentials(database),
        feed=feed,
    )
