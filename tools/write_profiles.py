"""Writes the table of Norway's base profiles from the published FHIR package.

Usage: python -m tools.write_profiles hl7.fhir.no.basis-2.2.2.tgz
"""

from __future__ import annotations

import json
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helsevev.fhir.profiles.reading import compact

TABLE = Path(__file__).resolve().parent.parent / "src/helsevev/fhir/tables/norwegian_profiles.json"


def definitions(package: Path) -> list[dict[str, Any]]:
    """The package's profiles as compact StructureDefinitions, by URL."""
    found = []
    with tarfile.open(package) as archive:
        for member in archive.getmembers():
            file = archive.extractfile(member) if member.name.endswith(".json") else None
            content = json.load(file) if file and "/examples/" not in member.name else {}
            if content.get("resourceType") == "StructureDefinition":
                found.append(compact(content))
    return sorted(found, key=lambda each: each["url"])


def text_of(profiles: list[dict[str, Any]]) -> str:
    """The table's text: a profile a line."""
    lines = ",\n".join(
        json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in profiles
    )
    source = json.dumps("HL7 Norway, package hl7.fhir.no.basis 2.2.2, http://hl7.no/fhir")
    return f'{{"source": {source},\n"profiles": [\n{lines}\n]}}\n'


def run(arguments: Sequence[str]) -> int:
    """Write the table; the exit status."""
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    TABLE.write_text(text_of(definitions(Path(arguments[0]))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
