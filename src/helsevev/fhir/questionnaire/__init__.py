"""Forms: FHIR Questionnaires with Structured Data Capture, worked out without any input or output.

A form is prepared once; then answers are filled in, populated from the record, and extracted.
"""

from __future__ import annotations

from helsevev.fhir.questionnaire.asking import Query, queries
from helsevev.fhir.questionnaire.extracting import Extracted, extract
from helsevev.fhir.questionnaire.filling import Filled, Score, fill
from helsevev.fhir.questionnaire.issues import Issue
from helsevev.fhir.questionnaire.origins import Origin
from helsevev.fhir.questionnaire.places import Place
from helsevev.fhir.questionnaire.populating import populate
from helsevev.fhir.questionnaire.preparing import NotAForm, prepare
from helsevev.fhir.questionnaire.structure import Band, Item, Lost, Option, Prepared

__all__ = [
    "Band",
    "Extracted",
    "Filled",
    "Issue",
    "Item",
    "Lost",
    "NotAForm",
    "Option",
    "Origin",
    "Place",
    "Prepared",
    "Query",
    "Score",
    "extract",
    "fill",
    "populate",
    "prepare",
    "queries",
]
