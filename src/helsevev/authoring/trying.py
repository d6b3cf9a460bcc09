"""An item tried before it is released: as its users will meet it, with what it makes of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from helsevev.authoring.fields import Group, NotFields, shown
from helsevev.content.packs.forms import Form
from helsevev.content.packs.item import Item
from helsevev.documentation.forms.sheet import Sheet
from helsevev.documentation.forms.typed import read_typed
from helsevev.fhir.questionnaire import fill, prepare
from helsevev.fhir.questionnaire.preparing import NotAForm
from helsevev.kit import clock
from helsevev.screens.rendering import render_text

PREFIX: Final = "a:"
"""How the inputs of a form on a page are named, before the place that they answer."""

Typed = Mapping[str, Sequence[str]]


def sheet_of(item: Item, typed: Typed) -> Sheet | None:
    """A form with answers that nobody keeps, about nobody; None for other kinds."""
    if not isinstance(item, Form):
        return None
    try:
        prepared = prepare(item.questionnaire)
    except NotAForm:
        return None
    items, unread = read_typed(prepared, typed)
    response = {"resourceType": "QuestionnaireResponse", "item": items}
    filled = fill(prepared, response, context={}, now=clock.now())
    return Sheet(prepared, filled, typed, unread)


def outline_of(text: str, kind: type[Item]) -> Group | None:
    """What a file says, in its own order; None where it cannot be shown so."""
    try:
        return shown(text, kind)
    except NotFields:
        return None


def answer(sheet: Sheet) -> dict[str, Any]:
    """What follows from what is typed, as the page's script of forms takes it in."""
    return {
        "saved": "",
        "hidden": sheet.hidden(),
        "told": {
            key: sheet.told(place)
            for key, place in sheet.filled.by_key.items()
            if sheet.control(place.item) == "told"
        },
        "problems": sheet.problems(),
        "origins": [],
        "scores": render_text("documentation/forms/_scores.html", sheet=sheet),
    }
