"""A form as a page shows it: every question with its answer, what is wrong, and where it came from.

Nothing here opens the record; templates ask the sheet about each place of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from helsevev.documentation.forms import losses
from helsevev.documentation.forms.typed import (
    COUNT,
    OTHER,
    UNIT,
    Typed,
    first_of,
    kind_and_value,
    token_of,
)
from helsevev.fhir.outcome import Issue as Unread
from helsevev.fhir.questionnaire import Filled, Issue, Item, Option, Place, Prepared, Score
from helsevev.fhir.questionnaire.origins import Origin, of
from helsevev.fhir.reading import moment, text
from helsevev.locale import gettext as _
from helsevev.screens.formatting import clinical_date, clinical_time, quantity

_SILENT: Final = frozenset({"required", "too-few", "awaits", "not-calculated", "unsettled"})
"""What is not said while somebody still writes."""
_LISTED_FROM: Final = 12
"""So many options stand in a list to be opened, not side by side."""
_SHORT: Final = 14
"""Options of so many characters stand beside each other."""


class Choice(Struct, frozen=True):
    """One option as it stands on the page; `points` is what it counts in a score."""

    value: str
    label: str
    points: str
    chosen: bool
    exclusive: bool


class Sheet(Struct, frozen=True):
    """What is shown of one form with these answers.

    `unread` are inputs that say no answer; `sources` what the record calls each resource that an
    answer was taken from. With `whole`, also what is missing is said: somebody tried to sign.
    """

    prepared: Prepared
    filled: Filled
    typed: Typed
    unread: Sequence[Unread] = ()
    offered: Mapping[str, Sequence[Option]] = {}
    sources: Mapping[str, str] = {}
    whole: bool = False

    def ids(self) -> dict[str, str]:
        """What each place is called in the page's own links: linkIds may hold anything."""
        return {key: f"q{number}" for number, key in enumerate(self.filled.by_key)}

    def first(self, key: str) -> str:
        """What stands in the first input of a place."""
        return first_of(self.typed, key)

    def all(self, key: str) -> Sequence[str]:
        """What stands in a place's inputs: one empty where nothing does."""
        return [each for each in self.typed.get(key, ()) if each.strip()] or [""]

    def other(self, key: str) -> str:
        """The answer in own words beside the options."""
        return first_of(self.typed, f"{key}{OTHER}")

    def unit(self, place: Place) -> str:
        """The code of the unit that is chosen."""
        return first_of(self.typed, f"{place.key}{UNIT}")

    def control(self, item: Item) -> str:
        """How its answers are given: the template of each is named so."""
        if item.is_calculated or item.read_only:
            return "told"
        if item.type in ("choice", "open-choice"):
            if item.repeats:
                return "several"
            many = len(self._options(item, "")) > _LISTED_FROM
            return "listed" if many or item.look.control in ("drop-down", "autocomplete") else "one"
        if item.type == "reference":
            return "listed"
        return item.type

    def is_summed_below(self, item: Item) -> bool:
        """Whether it is a sum that stands where the form ends, in sight all the time."""
        return item.is_calculated and bool(item.bands)

    def choices(self, place: Place) -> list[Choice]:
        """The options of a question, those chosen marked."""
        chosen = {value.strip() for value in self.typed.get(place.key, ())}
        return [
            Choice(
                value=(token := token_of(option.value)),
                label=f"{option.prefix} {option.label}".strip(),
                points="" if option.weight is None else _points(option.weight),
                chosen=token in chosen,
                exclusive=option.exclusive,
            )
            for option in self._options(place.item, place.key)
        ]

    def _options(self, item: Item, key: str) -> Sequence[Option]:
        return self.filled.offered.get(key) or item.options or self.offered.get(item.link_id, ())

    def is_short(self, item: Item) -> bool:
        """Whether the options have room beside each other."""
        options = self._options(item, "")
        shortest = all(len(each.label) <= _SHORT for each in options)
        return item.look.orientation == "horizontal" or (shortest and len(options) <= _LISTED_FROM)

    def told(self, place: Place) -> str:
        """An answer that is worked out, or that nobody may change, in words."""
        return ", ".join(answer_words(each) for each in place.answers)

    def score(self, place: Place) -> Score | None:
        """The sum that stands in a place."""
        link = place.item.link_id
        return next((each for each in self.filled.scores if each.link_id == link), None)

    def origin(self, place: Place) -> str:
        """Where an answer was taken from and when that was so; "" when somebody wrote it."""
        return origin_words(of(place.answers[0]), self.sources) if place.answers else ""

    def problems(self) -> dict[str, list[str]]:
        """What there is to say of each place, in words."""
        found: dict[str, list[str]] = {}
        for unread in self.unread:
            found.setdefault(unread.expression, []).append(unread.diagnostics)
        for issue in self.filled.issues:
            if (self.whole or issue.kind not in _SILENT) and issue.key not in found:
                found.setdefault(issue.key, []).append(words_of(issue))
        return found

    def missing(self) -> list[Place]:
        """What has to be answered before it can be signed."""
        keys = {each.key for each in self.filled.issues if each.kind in ("required", "too-few")}
        return [place for key, place in self.filled.by_key.items() if key in keys]

    def hidden(self) -> list[str]:
        """The places that are not asked for as the answers are now."""
        return [key for key, place in self.filled.by_key.items() if not place.enabled]

    def name_of(self, link_id: str) -> str:
        """What an item is called for people; the form itself for what is said of the whole."""
        item = self.prepared.by_link.get(link_id)
        if item is None:
            return self.prepared.title
        return item.look.short or item.text or self.prepared.title

    def losses(self) -> list[tuple[str, str, str]]:
        """What of the form is not done: where, in words, and the name of what asks for it."""
        found = [
            (self.name_of(each.link_id), losses.words_of(each), each.url.rpartition("/")[2])
            for each in self.prepared.unsupported
        ]
        return list(dict.fromkeys(found))

    def count_name(self, place: Place) -> str:
        """The input that says how many times a repeating group stands there."""
        return f"{place.key.rpartition('[')[0]}{COUNT}"


def answer_words(answer: Mapping[str, Any]) -> str:
    """An answer as people read it."""
    kind, value = kind_and_value(answer)
    match kind:
        case "valueBoolean":
            return _("Yes") if value else _("No")
        case "valueDecimal" | "valueInteger":
            return quantity(value)
        case "valueQuantity":
            said = text(value.get("unit")) or text(value.get("code"))
            return quantity(value.get("value"), "" if said in ("{score}", "score", "1") else said)
        case "valueDate":
            return clinical_date(value)
        case "valueDateTime":
            return clinical_time(value)
        case "valueTime":
            return str(value)[:5]
        case "valueCoding":
            return text(value.get("display")) or text(value.get("code"))
        case "valueReference":
            return text(value.get("display")) or text(value.get("reference"))
        case "valueAttachment":
            return text(value.get("title")) or text(value.get("contentType"))
        case _:
            return "" if value is None else str(value)


def origin_words(origin: Origin | None, sources: Mapping[str, str]) -> str:
    """ "Body weight 20.11.2026 10:15" of an answer that was taken from the record."""
    if origin is None or origin.kind != "populated":
        return ""
    name = sources.get(origin.source, "")
    found = moment(origin.of)
    when = "" if found is None else (clinical_time if found.is_exact else clinical_date)(origin.of)
    return f"{name} {when}".strip() or _("unknown time")


def words_of(issue: Issue) -> str:
    """What is wrong, in words for who fills it in."""
    detail = issue.detail
    said = {
        "required": _("This has to be answered."),
        "awaits": _("Cannot be worked out yet."),
        "too-few": _("At least %(count)s answers are wanted.") % {"count": detail},
        "too-many": _("At most %(count)s answers are taken.") % {"count": detail},
        "too-low": _("Must be at least %(limit)s.") % {"limit": detail.replace(".", ",")},
        "too-high": _("Must be at most %(limit)s.") % {"limit": detail.replace(".", ",")},
        "too-long": _("At most %(count)s characters.") % {"count": detail},
        "too-short": _("At least %(count)s characters.") % {"count": detail},
        "pattern": detail or _("It is not written as the form wants it."),
        "decimals": _("At most %(count)s decimals.") % {"count": detail}
        if detail != "0"
        else _("Write a whole number."),
        "option": _("Choose one of the answers."),
        "type": _("Choose one of the answers."),
        "exclusive": _("“%(answer)s” cannot stand together with other answers.")
        % {"answer": detail},
        "media": _("Files of this kind are not taken."),
        "too-large": _("The file is too large."),
        "stranger": _("The form does not ask for this any more."),
        "not-calculated": _("This could not be worked out."),
        "unsettled": _("This form's calculations never come to rest."),
    }.get(issue.kind, detail)
    return said or _("The form does not take this answer.")


def _points(weight: object) -> str:
    return str(weight).replace(".", ",")
