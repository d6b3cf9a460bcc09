"""The table of the day: every action staff can do in the product, and how often they do it."""

from __future__ import annotations

from typing import Final

from ...facts import facts
from ..curve import ROUNDS
from .action import Action
from .contacts import write_contact
from .doses import sign_dose
from .messages import read_messages, send_message
from .notes import write_note
from .reading import find_person, my_patients, open_chart
from .signs import measure

_STATED: Final = facts("rates")["stated"]
_MEMO: Final = "the 34 municipalities' memo"

ACTIONS: Final = (
    Action("look at my patients", 40_000, my_patients,
           "estimate: 20,000 at work on a weekday, twice each"),
    Action("find a person", 10_000, find_person, "estimate: one contact of three is not on a list"),
    Action("open a chart", 3 * _STATED["contacts"], open_chart,
           "estimate: three times for each contact"),
    Action("write a contact", _STATED["contacts"], write_contact, _MEMO),
    Action("write a note", _STATED["contacts"] / 3, write_note,
           "estimate: a note for every third contact"),
    Action("measure vital signs", 8_000, measure, "estimate: one contact of four"),
    Action("sign a dose", _STATED["administrations"], sign_dose, _MEMO, ROUNDS,
           gives_medicines=True),
    Action("send a message", _STATED["messages"], send_message, _MEMO),
    Action("read messages", 2 * _STATED["messages"], read_messages,
           "estimate: each message is read by two"),
)  # fmt: skip
"""A chapter that lets staff do something new adds its row here."""
