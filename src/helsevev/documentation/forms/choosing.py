"""Which forms are offered: those used lately, then one's own profession's, then all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from helsevev.content.packs.forms import Form
from helsevev.content.packs.shelf import Shelf
from helsevev.locale import gettext as _

_LATELY = 6


class Offer(Struct, frozen=True):
    """One form as it is offered; `local` where a municipality has its own."""

    key: str
    title: str
    about: str
    local: bool
    draft: bool


class Group(Struct, frozen=True):
    """Forms under one heading."""

    title: str
    forms: tuple[Offer, ...]


def offers(shelf: Shelf, profession: str, lately: Sequence[str], words: str = "") -> list[Group]:
    """The forms in groups, each once; `words` leaves those whose name or purpose has them all."""
    forms = {key: each for key, each in shelf.all(Form).items() if _fits(each, words)}
    recent = [key for key in dict.fromkeys(lately) if key in forms][:_LATELY]
    own = [key for key, each in forms.items() if profession in each.professions]
    packs = {pack.key: pack.about.title for pack in shelf.packs}
    named: dict[str, list[str]] = {
        _("Used for this patient"): recent,
        _("For your profession"): own,
    }
    for key in forms:
        pack = shelf.pack_of(Form, key)
        named.setdefault(packs.get(pack, pack), []).append(key)
    seen: set[str] = set()
    groups = []
    for title, keys in named.items():
        left = [key for key in keys if key not in seen]
        seen.update(left)
        if left:
            ordered = left if title == _("Used for this patient") else _by_title(left, forms)
            groups.append(Group(title, tuple(_offer(shelf, forms[key]) for key in ordered)))
    return groups


def _by_title(keys: Sequence[str], forms: Mapping[str, Form]) -> list[str]:
    return sorted(keys, key=lambda key: forms[key].title.casefold())


def _fits(form: Form, words: str) -> bool:
    said = f"{form.title} {form.about} {form.key}".casefold()
    return all(word in said for word in words.casefold().split())


def _offer(shelf: Shelf, form: Form) -> Offer:
    local = bool(shelf.local_of(Form, form.key))
    return Offer(form.key, form.title, form.about, local, form.status == "draft")
