"""Forms and scores as professionals write them, and the FHIR Questionnaires they become.

A `.toml` file is the short form (`short_form.py`), a `.json` file a Questionnaire as it is.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, ClassVar, Final, Self

from helsevev.content.loading import read
from helsevev.content.packs.item import Item
from helsevev.content.packs.questionnaires import FORMS, questionnaire_of
from helsevev.content.packs.short_form import FormCase, ShortForm
from helsevev.content.shapes import ContentError

_PROFESSION: Final = "http://helsevev.no/fhir/StructureDefinition/form-profession"
_STATUS: Final = {"active": "approved"}


class Form(Item, frozen=True, kw_only=True):
    """A form or a score. `questionnaire` is what it becomes, ready to be used and published.

    `professions` are those whose work it belongs to; `case` its own worked examples.
    """

    folder: ClassVar[str] = "forms"

    about: str = ""
    professions: tuple[str, ...] = ()
    questionnaire: dict[str, Any]
    case: tuple[FormCase, ...] = ()

    @property
    def url(self) -> str:
        """The address by which answers name it."""
        return str(self.questionnaire["url"])

    @property
    def is_score(self) -> bool:
        """Whether it has a sum."""
        return any(
            each.get("url", "").endswith("/score-of")
            for item in self.questionnaire.get("item", ())
            for each in item.get("extension", ())
        )

    def resources(self) -> list[dict[str, Any]]:
        """The Questionnaire."""
        return [self.questionnaire]

    @classmethod
    def read(cls, text: str, name: str, key: str) -> Self:
        """The form from its file's text. ContentError names the file and the place."""
        if name.endswith(".json"):
            return cls._from_json(text, name, key)
        short = read(text, ShortForm, name)
        try:
            questionnaire = questionnaire_of(short, key)
        except ValueError as problem:
            raise ContentError(f"{name}: {problem}") from problem
        return cls(
            key=key,
            title=short.title,
            version=short.version,
            status=short.status,
            owner=short.owner,
            source=short.source,
            effective_from=short.effective_from,
            effective_to=short.effective_to,
            changelog=short.changelog,
            about=short.about,
            professions=short.professions,
            questionnaire=questionnaire,
            case=short.case,
        )

    @classmethod
    def _from_json(cls, text: str, name: str, key: str) -> Self:
        """A Questionnaire as it is; its worked examples are the answers that it contains."""
        try:
            resource = json.loads(text, parse_float=Decimal)
        except ValueError as problem:
            raise ContentError(f"{name}: not JSON: {problem}") from problem
        if not isinstance(resource, dict) or resource.get("resourceType") != "Questionnaire":
            raise ContentError(f"{name}: it is no Questionnaire")
        if not resource.get("version"):
            raise ContentError(f"{name}: the Questionnaire has no version")
        resource.setdefault("url", f"{FORMS}{key}")
        source = [resource.get(each) for each in ("copyright", "purpose", "publisher")]
        said = tuple(str(each) for each in source if each)
        if not said:
            raise ContentError(f"{name}: it names no copyright, purpose or publisher")
        return cls(
            key=key,
            title=str(resource.get("title") or resource.get("name") or key),
            version=str(resource["version"]),
            status=_STATUS.get(str(resource.get("status")), "draft"),
            owner=str(resource.get("publisher", "")),
            source=said,
            about=str(resource.get("description", "")),
            professions=tuple(
                str(each.get("valueCode", ""))
                for each in resource.get("extension", ())
                if each.get("url") == _PROFESSION
            ),
            questionnaire=resource,
            case=tuple(_contained(resource)),
        )


def _contained(resource: dict[str, Any]) -> list[FormCase]:
    return [
        FormCase(name=str(each.get("id", "")), answers={}, expect={"response": each})
        for each in resource.get("contained", ())
        if each.get("resourceType") == "QuestionnaireResponse"
    ]
