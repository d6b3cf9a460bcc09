"""Which kinds of distributions are read, and by what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from . import atc, classifications, fest, fhir_package, loinc, snomed, volven
from .opening import File, files
from .shapes import Distribution

Reader = Callable[[Iterable[File], str, str], Distribution]

READERS: Final[Mapping[str, tuple[Reader, str]]] = MappingProxyType(
    {
        "icd10": (classifications.icd10, "ICD-10 in its Norwegian edition: JSON list or table"),
        "icpc2": (classifications.icpc2, "ICPC-2 with ICPC-2B and map: JSON list or table"),
        "atc": (atc.atc, "ATC: table or FSH"),
        "fest": (fest.fest, "FEST (M30 XML): medicines, substances, ATC and code lists"),
        "snomed": (snomed.snomed, "SNOMED CT: RF2 snapshot"),
        "loinc": (loinc.loinc, "LOINC: Loinc.csv and accessory files"),
        "volven": (volven.volven, "national code lists: JSON of the national API, or tables"),
        "fhir": (fhir_package.fhir, "CodeSystem, ValueSet, ConceptMap: JSON, NDJSON, package"),
    }
)


def read(kind: str, path: Path, version: str = "") -> Distribution:
    """What a path holds of a kind. Raises `BadDistribution` when it is not what it is said to be.

    What is large is read when the releases are loaded; it may be found bad only then.
    """
    return READERS[kind][0](files(path), version, path.name)
