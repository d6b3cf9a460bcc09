"""A form of 200 items with 50 calculations, changed answer by answer: `python -m bench.forms`.

Prints JSON: CPU time of working out one change of the whole form, with everything checked.
"""

from __future__ import annotations

import json
import sys
import time
from statistics import median, quantiles
from typing import Any, Final

from helsevev.fhir.questionnaire import Prepared, fill, prepare
from helsevev.kit import clock

QUESTIONS: Final = 150
SUMS: Final = 50
CHANGES: Final = 200
_CORE: Final = "http://hl7.org/fhir/StructureDefinition/"
_CALCULATED: Final = (
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression"
)


def form() -> dict[str, Any]:
    """Questions with points, every fifth asked only sometimes; sums that rest on each other."""
    questions = [_question(number) for number in range(QUESTIONS)]
    sums = [_sum(number) for number in range(SUMS)]
    return {"resourceType": "Questionnaire", "status": "active", "item": [*questions, *sums]}


def _question(number: int) -> dict[str, Any]:
    options = [
        {
            "valueCoding": {
                "system": "http://x", "code": str(points), "display": f"Answer {points}",
                "extension": [{"url": f"{_CORE}ordinalValue", "valueDecimal": points}],
            }
        }
        for points in range(4)
    ]  # fmt: skip
    when = {"question": f"q{number - 1}", "operator": "!=",
            "answerCoding": {"system": "http://x", "code": "0"}}  # fmt: skip
    sometimes = {"enableWhen": [when]} if number % 5 == 4 else {}
    return {
        "linkId": f"q{number}", "type": "choice", "text": f"Question {number}", "required": True,
        "answerOption": options, **sometimes,
    }  # fmt: skip


def _sum(number: int) -> dict[str, Any]:
    links = " | ".join(f"'q{each}'" for each in range(number * 3, number * 3 + 3))
    before = f" + %resource.item.where(linkId = 's{number - 1}').answer.value.sum()"
    text = f"%resource.item.where(linkId in ({links})).answer.value.weight().sum()"
    said = {"language": "text/fhirpath", "expression": text + (before if number % 5 else "")}
    return {
        "linkId": f"s{number}", "type": "decimal", "readOnly": True, "text": f"Sum {number}",
        "extension": [{"url": _CALCULATED, "valueExpression": said}],
    }  # fmt: skip


def response(changed: int) -> dict[str, Any]:
    """An answer to every question, one of them another than before."""
    return {"item": [
        {"linkId": f"q{number}",
         "answer": [{"valueCoding": {"system": "http://x",
                                     "code": str((number + (number == changed)) % 4)}}]}
        for number in range(QUESTIONS)
    ]}  # fmt: skip


def changes(prepared: Prepared, count: int = CHANGES) -> list[float]:
    """Milliseconds of CPU for each of so many changes."""
    took = []
    now = clock.now()
    for number in range(count):
        given = response(number % QUESTIONS)
        start = time.process_time()
        fill(prepared, given, context={}, now=now)
        took.append((time.process_time() - start) * 1000)
    return took


def main() -> int:
    """Print the figures."""
    start = time.process_time()
    prepared = prepare(form())
    preparing = (time.process_time() - start) * 1000
    took = changes(prepared)
    figures = {
        "items": len(prepared.by_link), "calculated": SUMS, "prepare ms": round(preparing, 1),
        "change p50 ms": round(median(took), 1),
        "change p95 ms": round(quantiles(took, n=20)[-1], 1),
    }  # fmt: skip
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
