"""The answers of one form laid out by its items: a place for each, and for each repetition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from helsevev.fhir.questionnaire.structure import Item, Prepared

Answer = dict[str, Any]
"""One QuestionnaireResponse.item.answer."""


class Place:
    """Where one item's answers lie. `key` names it on a page: "visit[1]/weight".

    `node` is its QuestionnaireResponse.item, the same object all along; `answers` are its answers
    also while it is disabled. `places` stand beneath it, for a question beneath its answer
    number `under`.
    """

    __slots__ = (
        "answers", "enabled", "index", "item", "key", "node", "parent", "places", "present",
        "under",
    )  # fmt: skip

    def __init__(
        self, item: Item, parent: Place | None, index: int, node: dict[str, Any], under: int = 0
    ) -> None:
        self.item = item
        self.parent = parent
        self.index = index
        self.under = under
        own = f"{item.link_id}[{index}]" if item.type == "group" and item.repeats else item.link_id
        above = _key_above(parent, under)
        self.key = f"{above}/{own}" if above else own
        self.node = node
        self.answers: list[Answer] = []
        self.places: list[Place] = []
        self.enabled = True
        self.present = False

    def walk(self) -> Iterator[Place]:
        """Itself and everything beneath it, in the order of the form."""
        yield self
        for each in self.places:
            yield from each.walk()


def _key_above(place: Place | None, under: int) -> str:
    """The key of the nearest repetition above: what else stands above says nothing more."""
    while place is not None:
        if place.item.repeats and place.item.type == "group":
            return place.key
        if place.item.repeats and place.item.items:
            return f"{place.key}[{under}]"
        under, place = place.under, place.parent
    return ""


class Layout:
    """All places of an answer, and the answer itself as expressions see it.

    Raises nothing: items of the answer that the form lacks are listed in `strangers`.
    """

    def __init__(self, prepared: Prepared, response: Mapping[str, Any]) -> None:
        self.response: dict[str, Any] = {
            **{key: value for key, value in response.items() if key != "item"},
            "resourceType": "QuestionnaireResponse",
        }
        self.strangers: list[str] = []
        self.roots = self._laid(prepared.items, None, response.get("item", ()))
        self.all = [each for root in self.roots for each in root.walk()]
        self.by_link: dict[str, list[Place]] = {}
        for each in self.all:
            self.by_link.setdefault(each.item.link_id, []).append(each)

    def _laid(
        self, items: Sequence[Item], parent: Place | None, given: Any, under: int = 0
    ) -> list[Place]:
        by_link: dict[str, list[dict[str, Any]]] = {}
        for node in given if type(given) is list else ():
            if type(node) is dict:
                by_link.setdefault(str(node.get("linkId", "")), []).append(node)
        laid = []
        for item in items:
            nodes = by_link.pop(item.link_id, [])
            if item.type == "group" and item.repeats:
                for index, node in enumerate(nodes or [{}]):
                    place = self._place(item, parent, index, node, under)
                    place.places = self._laid(item.items, place, node.get("item", ()))
                    laid.append(place)
            else:
                laid.append(self._merged(item, parent, nodes, under))
        self.strangers.extend(by_link)
        return laid

    def _merged(
        self, item: Item, parent: Place | None, nodes: list[dict[str, Any]], under: int
    ) -> Place:
        place = self._place(item, parent, 0, nodes[0] if nodes else {}, under)
        answers = [each for node in nodes for each in node.get("answer", ()) if _is_said(each)]
        place.answers = [
            {key: _copied(value) for key, value in answer.items() if key != "item"}
            for answer in answers
        ]
        inner = [each for node in nodes for each in node.get("item", ())]
        beneath = [answer.get("item", ()) for answer in answers]
        if item.repeats and item.asks:
            for under_it, given in enumerate(beneath or [inner]):
                place.places.extend(self._laid(item.items, place, given, under_it))
        else:
            inner.extend(each for given in beneath for each in given)
            place.places = self._laid(item.items, place, inner)
        return place

    def _place(
        self, item: Item, parent: Place | None, index: int, given: Mapping[str, Any], under: int
    ) -> Place:
        node = {key: value for key, value in given.items() if key not in ("item", "answer")}
        node["linkId"] = item.link_id
        if item.text:
            node["text"] = item.text
        if item.definition:
            node["definition"] = item.definition
        return Place(item, parent, index, node, under)

    def assemble(self) -> dict[str, Any]:
        """The answer with what is enabled and has something in it; places keep what they have."""
        for each in self.roots:
            _assembled(each)
        self._keep_roots()
        return self.response

    def refresh(self, place: Place) -> None:
        """As `assemble`, when only the answers of one place have changed."""
        here: Place | None = place
        while here is not None:
            before = here.present
            _joined(here)
            if here.present == before:
                return
            here = here.parent
        self._keep_roots()

    def _keep_roots(self) -> None:
        items = [each.node for each in self.roots if each.present]
        if items:
            self.response["item"] = items
        else:
            self.response.pop("item", None)

    def nearest(self, link_id: str, place: Place) -> list[Place]:
        """The places of a question that another place means: those closest above it."""
        found = self.by_link.get(link_id, [])
        if len(found) < 2:
            return found
        above: Place | None = place
        while above is not None:
            near = [each for each in found if _is_beneath(each, above)]
            if near:
                return near
            above = above.parent
        return found


def _copied(value: Any) -> Any:
    return dict(value) if type(value) is dict else value


def _is_said(answer: Any) -> bool:
    return type(answer) is dict and any(
        key.startswith("value") and value not in (None, "", {}) for key, value in answer.items()
    )


def _is_beneath(place: Place, above: Place) -> bool:
    inner: Place | None = place
    while inner is not None:
        if inner is above:
            return True
        inner = inner.parent
    return False


def _assembled(place: Place) -> None:
    for each in place.places:
        _assembled(each)
    _joined(place)


def _joined(place: Place) -> None:
    """Put a place's answers and what is beneath it into its node, if it is asked."""
    node, answers = place.node, place.answers
    if not place.enabled:
        place.present = False
        return
    if not place.item.asks:
        filled = [each.node for each in place.places if each.present]
        if filled:
            node["item"] = filled
        else:
            node.pop("item", None)
        place.present = bool(filled)
        return
    if place.places:
        for index, answer in enumerate(answers):
            inner = [each.node for each in place.places if each.present and each.under == index]
            if inner:
                answer["item"] = inner
            else:
                answer.pop("item", None)
    if answers:
        node["answer"] = answers
    else:
        node.pop("answer", None)
    place.present = bool(answers)
