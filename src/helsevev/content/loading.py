"""Reads content files: TOML in, checked values out, or an error that says where and why."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TypeVar

import msgspec

from .access_shapes import Categories, Relations
from .audit_shapes import UnusualReads
from .care_plan_shapes import FILES as CARE_PLAN_FILES
from .catalogue_shapes import CatalogueProducts
from .chart_search_shapes import SearchWords
from .decision_shapes import FILES as DECISION_FILES
from .desk_shapes import Ward
from .dose_shapes import DoseHelp
from .follow_up_shapes import FollowUp
from .indicator_shapes import Indicators
from .left_out_shapes import LeftOutForms
from .medication_shapes import OrderSentences
from .national_list_shapes import NationalListRules, SimulatedLists
from .order_set_shapes import OrderSets
from .reconciliation_shapes import Reconciliation
from .result_shapes import ResultAnswers
from .round_shapes import Rounds
from .scanning_shapes import Scanning
from .score_shapes import News2
from .shapes import (
    ContentError,
    DisplayLabels,
    Grounds,
    NoteTypes,
    PersonMatching,
    Professions,
    Results,
    SubscriptionTopics,
    VitalSigns,
)
from .stock_shapes import StockRules
from .view_shapes import Views

Shape = TypeVar("Shape", bound=msgspec.Struct)

FILES: dict[str, type[msgspec.Struct]] = {
    "observation/vital_signs.toml": VitalSigns,
    "observation/news2.toml": News2,
    "observation/results.toml": Results,
    "observation/result_answers.toml": ResultAnswers,
    "chart/search_words.toml": SearchWords,
    "documentation/note_types.toml": NoteTypes,
    "documentation/left_out_forms.toml": LeftOutForms,
    "access/grounds.toml": Grounds,
    "access/professions.toml": Professions,
    "access/categories.toml": Categories,
    "access/relations.toml": Relations,
    "display/labels.toml": DisplayLabels,
    "follow_up/matters.toml": FollowUp,
    "desk/ward.toml": Ward,
    "subscription/topics.toml": SubscriptionTopics,
    "patient/matching.toml": PersonMatching,
    "access/unusual_reads.toml": UnusualReads,
    "analysis/views.toml": Views,
    **DECISION_FILES,
    **CARE_PLAN_FILES,
    "medication/catalogue/products.toml": CatalogueProducts,
    "medication/rounds.toml": Rounds,
    "medication/scanning.toml": Scanning,
    "medication/stock.toml": StockRules,
    "medication/indicators.toml": Indicators,
    "medication/order_sentences.toml": OrderSentences,
    "medication/dose_help.toml": DoseHelp,
    "medication/order_sets.toml": OrderSets,
    "medication/reconciliation.toml": Reconciliation,
    "medication/national_list.toml": NationalListRules,
    "medication/national_list_demo.toml": SimulatedLists,
}


def read(text: str, shape: type[Shape], name: str) -> Shape:
    """Content from TOML text. ContentError names the file and the place when it does not fit."""
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
        return msgspec.convert(raw, shape)
    except tomllib.TOMLDecodeError as problem:
        raise ContentError(f"{name}: not TOML: {problem}") from problem
    except msgspec.ValidationError as problem:
        raise ContentError(f"{name}: {problem}") from problem


def _load(name: str, shape: type[Shape]) -> Shape:
    return read(files(__package__).joinpath(name).read_text(encoding="utf-8"), shape, name)


@cache
def vital_signs() -> VitalSigns:
    """The vital signs that the form offers, in order."""
    return _load("observation/vital_signs.toml", VitalSigns)


@cache
def news2() -> News2:
    """The NEWS2 table, what each total asks for, and its test cases."""
    return _load("observation/news2.toml", News2)


@cache
def search_words() -> SearchWords:
    """Other words for what one types when one searches in a chart."""
    return _load("chart/search_words.toml", SearchWords)


@cache
def result_answers() -> ResultAnswers:
    """How results are acknowledged, and what may come next."""
    return _load("observation/result_answers.toml", ResultAnswers)


@cache
def results() -> Results:
    """Laboratory analyses in the groups and with the names that the chart shows."""
    return _load("observation/results.toml", Results)


@cache
def note_types() -> NoteTypes:
    """The types of note, and which profession writes which."""
    return _load("documentation/note_types.toml", NoteTypes)


@cache
def left_out_forms() -> LeftOutForms:
    """Instruments that are left out of the packs, and why."""
    return _load("documentation/left_out_forms.toml", LeftOutForms)


@cache
def order_sentences() -> OrderSentences:
    """Usual ways to order medicines, and what stops and pauses are usually for."""
    return _load("medication/order_sentences.toml", OrderSentences)


@cache
def reconciliation() -> Reconciliation:
    """Reasons and deadlines of reconciling medicines."""
    return _load("medication/reconciliation.toml", Reconciliation)


@cache
def order_sets() -> OrderSets:
    """Medicines that are often ordered together."""
    return _load("medication/order_sets.toml", OrderSets)


@cache
def dose_help() -> DoseHelp:
    """Doses by weight and kidney function, and drops in a millilitre."""
    return _load("medication/dose_help.toml", DoseHelp)


@cache
def rounds() -> Rounds:
    """Times of day, limits and reasons of medicine rounds."""
    return _load("medication/rounds.toml", Rounds)


@cache
def medication_indicators() -> Indicators:
    """What is counted of how medicines are given, and how."""
    return _load("medication/indicators.toml", Indicators)


@cache
def stock_rules() -> StockRules:
    """What is accounted for and counted in a unit's stock, and what leaves it how."""
    return _load("medication/stock.toml", StockRules)


@cache
def national_list() -> NationalListRules:
    """How doses are said to the national list, and how old it may get."""
    return _load("medication/national_list.toml", NationalListRules)


@cache
def simulated_lists() -> SimulatedLists:
    """What the demo's national service holds."""
    return _load("medication/national_list_demo.toml", SimulatedLists)


@cache
def scanning() -> Scanning:
    """What is signed at once when it is scanned, limits, and what may follow a stop."""
    return _load("medication/scanning.toml", Scanning)


@cache
def grounds() -> Grounds:
    """The coded grounds for opening a record without a treatment relation."""
    return _load("access/grounds.toml", Grounds)


@cache
def professions() -> Professions:
    """What members of staff work as, by their approval and role."""
    return _load("access/professions.toml", Professions)


@cache
def categories() -> Categories:
    """What is sensitive, and the marks on entries and records."""
    return _load("access/categories.toml", Categories)


@cache
def relations() -> Relations:
    """How long ties give access before and after their time."""
    return _load("access/relations.toml", Relations)


@cache
def follow_up() -> FollowUp:
    """What can wait for somebody: its states and acts, how soon, and who is told else."""
    return _load("follow_up/matters.toml", FollowUp)


@cache
def ward() -> Ward:
    """How a shift is handed over, who is isolated how, and where addresses are shown."""
    return _load("desk/ward.toml", Ward)


@cache
def labels() -> DisplayLabels:
    """Bokmål for the codes that screens show."""
    return _load("display/labels.toml", DisplayLabels)


@cache
def subscription_topics() -> SubscriptionTopics:
    """What systems can subscribe to."""
    return _load("subscription/topics.toml", SubscriptionTopics)


@cache
def views() -> Views:
    """The tables of the record that come ready for analysis."""
    return _load("analysis/views.toml", Views)


@cache
def person_matching() -> PersonMatching:
    """What makes two registrations one person."""
    return _load("patient/matching.toml", PersonMatching)


@cache
def unusual_reads() -> UnusualReads:
    """The rules that find unusual reads."""
    return _load("access/unusual_reads.toml", UnusualReads)


@cache
def catalogue_products() -> CatalogueProducts:
    """The medicines of the demo's catalogue."""
    return _load("medication/catalogue/products.toml", CatalogueProducts)
