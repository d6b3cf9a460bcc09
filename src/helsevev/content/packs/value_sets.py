"""Value sets as professionals keep them, and the FHIR ValueSets that they become."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from helsevev.content.packs.item import Item
from helsevev.content.shapes import Shape, unique

_ADDRESS: Final = "https://helsevev.no/fhir/ValueSet/"


class ChosenCode(Shape, frozen=True, kw_only=True):
    """One code, and what it is called here."""

    code: str
    display: str


class CodeFilter(Shape, frozen=True, kw_only=True):
    """Codes by what is known of them: `concept is-a 73211009` (R4, ValueSet.compose.include)."""

    property: str
    op: str
    value: str


class Include(Shape, frozen=True, kw_only=True):
    """Codes of one system: those that are named, or those that pass every filter."""

    system: str
    code: tuple[ChosenCode, ...] = ()
    filter: tuple[CodeFilter, ...] = ()

    def __post_init__(self) -> None:
        """Refuse codes and filters together, and a code that stands twice."""
        if self.code and self.filter:
            raise ValueError(f"{self.system}: name codes or filter them, not both")
        unique("code", (each.code for each in self.code))

    def names(self, system: str, code: str) -> bool | None:
        """Whether it has a code; None where that follows from what the terminology knows."""
        if system != self.system:
            return False
        if self.code:
            return code in {each.code for each in self.code}
        return None if self.filter else True


class MemberCase(Shape, frozen=True, kw_only=True):
    """One example: whether a code is to be a member."""

    name: str
    system: str
    code: str
    member: bool = True


class ValueSet(Item, frozen=True, kw_only=True):
    """Codes that belong together, to choose from or to recognise by."""

    folder: ClassVar[str] = "value_sets"

    include: tuple[Include, ...]
    exclude: tuple[Include, ...] = ()
    case: tuple[MemberCase, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a set of nothing."""
        super().__post_init__()
        if not self.include:
            raise ValueError("a value set includes something")

    @property
    def url(self) -> str:
        """Its canonical address."""
        return f"{_ADDRESS}{self.key}"

    def names(self, system: str, code: str) -> bool | None:
        """Whether a code is a member; None where that follows from what the terminology knows."""
        if any(each.names(system, code) for each in self.exclude):
            return False
        said = [each.names(system, code) for each in self.include]
        if True in said:
            return True
        return None if None in said else False

    def resources(self) -> list[dict[str, Any]]:
        """The ValueSet that it is (R4, ValueSet)."""
        compose: dict[str, Any] = {"include": [_part(each) for each in self.include]}
        if self.exclude:
            compose["exclude"] = [_part(each) for each in self.exclude]
        return [{
            "resourceType": "ValueSet", "url": self.url, "version": self.version,
            "name": "".join(word.capitalize() for word in self.key.replace("-", "_").split("_")),
            "title": self.title,
            "status": "active" if self.status == "approved" else "draft", "compose": compose,
        }]  # fmt: skip


def _part(each: Include) -> dict[str, Any]:
    part: dict[str, Any] = {"system": each.system}
    if each.code:
        part["concept"] = [{"code": x.code, "display": x.display} for x in each.code]
    if each.filter:
        part["filter"] = [
            {"property": x.property, "op": x.op, "value": x.value} for x in each.filter
        ]
    return part
