"""What of a form is not done here, said in the words of those who fill it in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from helsevev.fhir.questionnaire import Lost
from helsevev.locale import gettext as _

_UNREADABLE: Final = "the expression cannot be read"


def words_of(lost: Lost) -> str:
    """The loss in the reader's language; what is not known is said in general."""
    if lost.what.startswith(_UNREADABLE):
        return _("Something is not worked out, since its expression cannot be read")
    return _known().get(lost.what) or _("Something that the form asks for is not done")


def _known() -> Mapping[str, str]:
    """By what the engine says."""
    return {
        "the questions of another form are not fetched and put in here":
            _("Questions of another form are not put in here"),
        "the form is used as it is, not assembled from parts":
            _("The form is used as it is, not put together from parts"),
        "no other form is opened for this answer": _("No other form is opened for this answer"),
        "answers are not turned into resources by a structure map":
            _("The answers stay in the form, and are not written elsewhere in the record"),
        "answers are not filled in by a structure map":
            _("The form does not fill itself in from the record"),
        "only the listed units can be chosen": _("Only the listed units can be chosen"),
        "all options are offered, whatever else is answered":
            _("All options are offered, whatever else is answered"),
        "every resource of the type is offered": _("More is offered to choose from than asked for"),
        "the message around the form is not shown": _("The message around the form is not shown"),
        "texts beside the form are shown among the questions":
            _("Texts beside the form stand among the questions"),
        "what to do after answering is not shown as its own step":
            _("What to do afterwards is not shown as a step of its own"),
        "the answer is not handed to a guide elsewhere":
            _("The answer is not handed on to another system"),
        "links made from answers are not shown": _("Links made from answers are not shown"),
        "answers stay in the record and are not sent to another system":
            _("The answers are not sent to another system"),
        "the house's own words are shown when an answer does not fit":
            _("Helsevev uses its own words when an answer does not fit"),
        "questions of this type cannot be answered": _("This question cannot be answered here"),
    }  # fmt: skip
