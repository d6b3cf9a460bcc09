"""Which kinds of content a pack can hold: the folder they lie in, and the shape that reads them."""

from __future__ import annotations

from typing import Final

from helsevev.content.packs.decisions import Decision
from helsevev.content.packs.flowsheets import Flowsheet
from helsevev.content.packs.forms import Form
from helsevev.content.packs.item import Item
from helsevev.content.packs.note_templates import NoteTemplate
from helsevev.content.packs.orders import Orders
from helsevev.content.packs.phrases import Phrases
from helsevev.content.packs.plans import Plan
from helsevev.content.packs.value_sets import ValueSet
from helsevev.content.packs.worklists import Worklist

_KINDS: Final[tuple[type[Item], ...]] = (
    Flowsheet,
    Form,
    Orders,
    Plan,
    Decision,
    ValueSet,
    NoteTemplate,
    Phrases,
    Worklist,
)  # fmt: skip

KINDS: Final[dict[str, type[Item]]] = {kind.folder: kind for kind in _KINDS}
