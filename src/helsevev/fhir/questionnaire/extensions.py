"""The extensions that forms use: which are understood, which only dress, and what else is lost.

R4's own (https://hl7.org/fhir/R4/questionnaire-profiles.html), those of Structured Data Capture
(https://hl7.org/fhir/uv/sdc), and those of the Norwegian platform for inhabitants' forms
(Helsenorge SDF). What is not listed is named to people as not supported, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

CORE: Final = "http://hl7.org/fhir/StructureDefinition/"
SDC: Final = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
HELSENORGE: Final = "http://helsenorge.no/fhir/StructureDefinition/"
SDF: Final = "http://ehelse.no/fhir/StructureDefinition/"
OWN: Final = "http://helsevev.no/fhir/StructureDefinition/"

BAND: Final = f"{OWN}score-band"
STORE_POINTS: Final = f"{OWN}store-points"
PARTS: Final = f"{OWN}score-of"
ORIGIN: Final = f"{OWN}answer-origin"
PROFESSION: Final = f"{OWN}form-profession"

# By what they do: the local name -> every address under which it is met.
_UNDERSTOOD: Final[dict[str, tuple[str, ...]]] = {
    "variable": (f"{CORE}variable",),
    "launchContext": (f"{SDC}launchContext",),
    "calculatedExpression": (f"{SDC}calculatedExpression",),
    "initialExpression": (f"{SDC}initialExpression",),
    "enableWhenExpression": (f"{SDC}enableWhenExpression",),
    "answerExpression": (f"{SDC}answerExpression",),
    "candidateExpression": (f"{SDC}candidateExpression",),
    "itemPopulationContext": (f"{SDC}itemPopulationContext",),
    "sourceQueries": (f"{SDC}sourceQueries",),
    "observationLinkPeriod": (f"{SDC}observationLinkPeriod",),
    "observationExtract": (f"{SDC}observationExtract", f"{SDC}observation-extract"),
    "observationExtractCategory": (
        f"{SDC}observation-extract-category", f"{SDC}observationExtractCategory",
    ),
    "itemExtractionContext": (f"{SDC}itemExtractionContext",),
    "definitionExtract": (f"{SDC}definitionExtract",),
    "definitionExtractValue": (f"{SDC}definitionExtractValue",),
    "templateExtract": (f"{SDC}templateExtract",),
    "templateExtractContext": (f"{SDC}templateExtractContext",),
    "templateExtractValue": (f"{SDC}templateExtractValue",),
    "extractAllocateId": (f"{SDC}extractAllocateId",),
    "isSubject": (f"{SDC}isSubject",),
    "constraint": (f"{CORE}questionnaire-constraint", f"{CORE}targetConstraint"),
    "minValue": (f"{CORE}minValue",),
    "maxValue": (f"{CORE}maxValue",),
    "minQuantity": (f"{SDC}minQuantity",),
    "maxQuantity": (f"{SDC}maxQuantity",),
    "minLength": (f"{CORE}minLength",),
    "regex": (f"{CORE}regex",),
    "maxDecimalPlaces": (f"{CORE}maxDecimalPlaces",),
    "minOccurs": (f"{CORE}questionnaire-minOccurs",),
    "maxOccurs": (f"{CORE}questionnaire-maxOccurs",),
    "maxSize": (f"{CORE}maxSize",),
    "mimeType": (f"{CORE}mimeType",),
    "hidden": (f"{CORE}questionnaire-hidden",),
    "itemControl": (f"{CORE}questionnaire-itemControl",),
    "unit": (f"{CORE}questionnaire-unit",),
    "unitOption": (f"{CORE}questionnaire-unitOption",),
    "referenceResource": (f"{CORE}questionnaire-referenceResource",),
    "optionExclusive": (f"{CORE}questionnaire-optionExclusive",),
    "optionPrefix": (f"{CORE}questionnaire-optionPrefix",),
    "openLabel": (f"{SDC}openLabel",),
    "displayCategory": (f"{CORE}questionnaire-displayCategory",),
    "entryFormat": (f"{CORE}entryFormat",),
    "sliderStepValue": (f"{CORE}questionnaire-sliderStepValue",),
    "choiceOrientation": (f"{CORE}questionnaire-choiceOrientation",),
    "shortText": (f"{SDC}shortText",),
    "weight": (
        f"{CORE}itemWeight", f"{CORE}ordinalValue", f"{CORE}questionnaire-ordinalValue",
    ),
    "band": (BAND,),
    "parts": (PARTS,),
    "storePoints": (STORE_POINTS,),
    "profession": (PROFESSION,),
    "sdf-calculatedExpression": (f"{SDF}sdf-calculatedExpression",),
    "sdf-sublabel": (f"{HELSENORGE}sdf-sublabel",),
    "cqf-expression": (f"{CORE}cqf-expression",),
}  # fmt: skip

NAMES: Final[Mapping[str, str]] = {url: name for name, urls in _UNDERSTOOD.items() for url in urls}
"""Address of an extension -> what it is called here."""

ONLY_DRESS: Final = frozenset({
    f"{CORE}questionnaire-columnCount", f"{CORE}rendering-style", f"{CORE}rendering-styleSensitive",
    f"{CORE}rendering-xhtml", f"{CORE}rendering-markdown", f"{CORE}translation",
    f"{SDC}width", f"{SDC}preferredTerminologyServer", f"{SDC}performerType",
    f"{SDC}endpoint", f"{SDC}optionalDisplay", f"{SDC}keyboard", f"{SDC}choiceColumn",
    f"{SDC}columnCount", f"{SDC}itemMedia", f"{SDC}itemAnswerMedia", f"{SDC}itemSupportHyperlink",
    f"{CORE}questionnaire-supportLink", f"{CORE}questionnaire-usageMode",
    f"{CORE}designNote", f"{CORE}questionnaire-signatureRequired",
    f"{CORE}questionnaire-baseType", f"{CORE}preferredContainedLanguage",
    f"{SDC}preferredTermServer", f"{CORE}questionnaire-derivationType",
    f"{CORE}structuredefinition-wg", f"{CORE}structuredefinition-fmm",
    f"{CORE}structuredefinition-standards-status", f"{CORE}cqf-library",
    f"{SDC}assemble-expectation", f"{SDC}assembledFrom", f"{CORE}entryMode",
    f"{SDC}entryMode",
})  # fmt: skip
"""Extensions about looks, languages or publishing; an answer means the same without them."""

LOST: Final[Mapping[str, str]] = {
    f"{SDC}subQuestionnaire": "the questions of another form are not fetched and put in here",
    f"{SDC}assembleContext": "the form is used as it is, not assembled from parts",
    f"{SDC}lookupQuestionnaire": "no other form is opened for this answer",
    f"{SDC}targetStructureMap": "answers are not turned into resources by a structure map",
    f"{SDC}sourceStructureMap": "answers are not filled in by a structure map",
    f"{SDC}unitOpen": "only the listed units can be chosen",
    f"{SDC}unitSupplementalSystem": "only the listed units can be chosen",
    f"{SDC}answerOptionsToggleExpression": "all options are offered, whatever else is answered",
    f"{SDC}answerOptionToggleExpression": "all options are offered, whatever else is answered",
    f"{CORE}questionnaire-unitValueSet": "only the listed units can be chosen",
    f"{CORE}questionnaire-referenceFilter": "every resource of the type is offered",
    f"{CORE}questionnaire-referenceProfile": "every resource of the type is offered",
    f"{HELSENORGE}sdf-information-message": "the message around the form is not shown",
    f"{HELSENORGE}sdf-sidebar": "texts beside the form are shown among the questions",
    f"{HELSENORGE}sdf-guidanceaction": "what to do after answering is not shown as its own step",
    f"{SDF}sdf-guidanceaction": "what to do after answering is not shown as its own step",
    f"{SDF}sdf-guidanceparameter": "the answer is not handed to a guide elsewhere",
    f"{HELSENORGE}sdf-fhirpath-hyperlink": "links made from answers are not shown",
    f"{SDF}sdf-endpoint": "answers stay in the record and are not sent to another system",
    f"{SDF}sdf-validationtext": "the house's own words are shown when an answer does not fit",
    f"{SDF}validationtext": "the house's own words are shown when an answer does not fit",
}
"""What is lost with extensions that are known and not supported, said so that people understand."""

_UNKNOWN_LOST: Final = "what this extension asks for is not done"


def named(element: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What an element's understood extensions are called, each with the extension."""
    for each in element.get("extension", ()):
        if type(each) is dict and (name := NAMES.get(each.get("url", ""))):
            yield name, each


def value_of(extension: Mapping[str, Any]) -> Any:
    """The `value[x]` of an extension, None when it has none."""
    return next((value for key, value in extension.items() if key.startswith("value")), None)


def first(element: Mapping[str, Any], name: str) -> Any:
    """The value of an element's first extension with a name of `NAMES`, None when there is none."""
    return next((value_of(each) for found, each in named(element) if found == name), None)


def every(element: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """An element's extensions with a name of `NAMES`."""
    return [each for found, each in named(element) if found == name]


def not_understood(element: Any) -> Iterator[tuple[str, str]]:
    """Extensions anywhere in an element that are not understood: address, and what is lost.

    Those inside other extensions belong to them; child items are left to themselves.
    """
    if type(element) is list:
        for each in element:
            yield from not_understood(each)
    elif type(element) is dict:
        for key, value in element.items():
            if key in ("extension", "modifierExtension"):
                for each in value if type(value) is list else ():
                    url = each.get("url", "") if type(each) is dict else ""
                    if url not in NAMES and url not in ONLY_DRESS:
                        yield url, LOST.get(url, _UNKNOWN_LOST)
            elif key not in ("item", "contained") and type(value) in (dict, list):
                yield from not_understood(value)
