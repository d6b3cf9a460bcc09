"""How long FHIR's ground work takes for a typical Observation; prints JSON, µs per operation.

Usage: python bench/fhir_plain_data.py [FILE]   (FILE: one resource as JSON)
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from helsevev.fhir import compartment, extraction, serialization, validation

# As generators of synthetic records write a measured body height.
OBSERVATION = b"""{"resourceType":"Observation","id":"948d94d8-0889-4499-8013-e6105620a996",
"meta":{"tag":[{"system":"https://example.org/tags","code":"synthetic"}]},"status":"final",
"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category",
"code":"vital-signs","display":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org",
"code":"8302-2","display":"Body Height"}],"text":"Body Height"},"subject":{"reference":
"Patient/138d4e0c-e3d3-460d-bead-7d0b2f86f33c"},"encounter":{"reference":
"Encounter/b0722f38-6e37-4078-b08d-0cbde8d87c26"},"effectiveDateTime":"2011-06-28T12:18:02+00:00",
"issued":"2011-06-28T12:18:02.582+00:00","valueQuantity":{"value":159.9602391215164,"unit":"cm",
"system":"http://unitsofmeasure.org","code":"cm"}}"""

ROUNDS = 60
CALLS = 500


def timed(work: Callable[[Any], Any], value: Any) -> dict[str, float]:
    """p50 and p95 over rounds of many calls, in µs a call."""
    work(value)
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(CALLS):
            work(value)
        rounds.append((time.perf_counter() - start) / CALLS * 1e6)
    return {"p50": round(median(rounds), 2), "p95": round(quantiles(rounds, n=20)[-1], 2)}


def main() -> None:
    """Measure every step a write takes before it reaches the record."""
    data = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else OBSERVATION
    data = serialization.encode(serialization.decode(data))
    resource = serialization.decode(data)
    figures = {
        "unit": "microseconds",
        "bytes": len(data),
        "issues": len(validation.validate(resource)),
        "rows": len(extraction.extract(resource)),
        "decode": timed(serialization.decode, data),
        "validate": timed(validation.validate, resource),
        "extract": timed(extraction.extract, resource),
        "encode": timed(serialization.encode, resource),
        "subject_of": timed(compartment.subject_of, resource),
        "main_date": timed(compartment.main_date, resource),
        "main_code": timed(compartment.main_code, resource),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
