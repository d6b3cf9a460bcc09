"""Norway's base profiles (hl7.fhir.no.basis), as they come with the project.

Their rules stand in `tables/norwegian_profiles.json`, made by `python -m tools.write_profiles` from
the published package: facts of the definitions, without their texts.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from helsevev.fhir.profiles.reading import Profile, profile_of


@cache
def table() -> dict[str, Any]:
    """The table: `source`, and `profiles` as compact StructureDefinitions."""
    text = files("helsevev.fhir").joinpath("tables", "norwegian_profiles.json")
    found: dict[str, Any] = json.loads(text.read_text(encoding="utf-8"))
    return found


@cache
def _profiles() -> dict[str, Profile]:
    return {each["url"]: profile_of(each) for each in table()["profiles"]}


def norwegian(url: str) -> Profile | None:
    """The base profile with this canonical URL (a version after `|` is passed over), or None."""
    return _profiles().get(url.partition("|")[0])
