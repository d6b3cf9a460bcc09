"""The terminology that comes with the program: what its own content already says of codes.

HL7's codes (CC0) with the Norwegian names of `content/display/labels.toml`, and the LOINC codes of
the vital signs that the forms offer. All of it is a part of its system, and told as such.
LOINC is copyright Regenstrief Institute and the LOINC Committee; it is free under
http://loinc.org/license.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from helsevev.content import loading
from helsevev.fhir.definitions import codes
from helsevev.terminology.shapes import Concept, Designation, Distribution, Release
from helsevev.terminology.value_set import LOINC, Listed, Part, ValueSet

SOURCE: Final = "helsevev"


def included() -> Distribution:
    """Releases of what the content names, each a fragment of its system."""
    labels = loading.labels()
    releases = [
        Release(
            each.system, labels.version, each.name, "nb", SOURCE,
            lambda each=each: (Concept(code, name) for code, name in each.label.items()),  # type: ignore[misc]
            content="fragment",
        )
        for each in labels.set
    ]  # fmt: skip
    signs = loading.vital_signs()
    loinc = Release(
        LOINC, signs.version, "LOINC", "en", SOURCE,
        lambda: (Concept(code, display) for code, display, _ in _vital_signs()),
        designations=lambda: (Designation(code, "nb", label) for code, _, label in _vital_signs()),
        content="fragment", case_sensitive=False,
    )  # fmt: skip
    return Distribution((*releases, loinc))


def _vital_signs() -> Iterator[tuple[str, str, str]]:
    for sign in loading.vital_signs().sign:
        if sign.loinc and sign.display:
            yield sign.loinc, sign.display, sign.label
        for part in sign.parts:
            yield part.loinc, part.display, part.label


def value_set_of_r4(url: str) -> ValueSet | None:
    """One of the value sets that R4 binds elements to with strength required, or None."""
    systems = codes(url)
    if systems is None:
        return None
    parts = tuple(
        Part(system, listed=tuple(Listed(code) for code in sorted(found)))
        for system, found in sorted(systems.items())
    )
    return ValueSet(url, "4.0.1", parts, resource={"url": url, "version": "4.0.1"})
