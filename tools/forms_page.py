"""The page of docs/reference on forms: what there is, what is understood, what is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from helsevev.content.loading import left_out_forms
from helsevev.content.packs.forms import Form
from helsevev.content.packs.shelf import built_in
from helsevev.fhir.questionnaire.extensions import LOST, NAMES, ONLY_DRESS

_Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]
_PREFIXES = {
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/": "sdc:",
    "http://hl7.org/fhir/StructureDefinition/": "core:",
    "http://helsevev.no/fhir/StructureDefinition/": "helsevev:",
    "http://helsenorge.no/fhir/StructureDefinition/": "helsenorge:",
    "http://ehelse.no/fhir/StructureDefinition/": "sdf:",
}


def forms(table: _Table) -> str:
    """The page's text."""
    left_out = (
        (each.name, each.about, each.holder, each.why, f"`{each.instead}`" if each.instead else "")
        for each in left_out_forms().form
    )
    lost = ((f"`{_short(url)}`", what) for url, what in sorted(LOST.items()))
    prefixes = ", ".join(f"`{short}` is `{long}`" for long, short in _PREFIXES.items())
    return f"""# Forms and scores

Forms are FHIR R4 Questionnaires with Structured Data Capture 4.0. What the packs hold, in the
[short form](../how-to/write-a-form.md) or as a Questionnaire:

{table(("pack", "form", "title", "score", "cases", "source"), _rows())}

## Extensions

{prefixes}.

Understood: {_listed(NAMES)}.

About looks, languages or publishing only, an answer means the same without them:
{_listed(ONLY_DRESS)}.

Known and not supported. A form that uses one is shown with these words; any other extension is
named as well, with its address:

{table(("extension", "what is lost"), lost)}

Also worked out: the sums of the Norwegian platform's forms (`http://ehelse.no/scoringFormulas`
SS and TS, and the unit `score` of `http://ehelse.no/Score`).

Beyond what R4 and Structured Data Capture say, expressions may name `%age` (whole years) and
`%months` of the patient, and `answer.valueDecimal` and its like are read as
`answer.value.ofType(decimal)`.

## Left out, since somebody else has the rights

{table(("instrument", "about", "rights", "why", "the packs have instead"), left_out)}
"""


def _rows() -> Iterator[Sequence[str]]:
    for pack in built_in():
        for key, form in sorted(pack.of(Form).items()):
            score = "yes" if form.is_score else ""
            yield (pack.key, f"`{key}`", form.title, score, str(len(form.case)),
                   "; ".join(form.source))  # fmt: skip


def _short(url: str) -> str:
    for long, short in _PREFIXES.items():
        if url.startswith(long):
            return short + url.removeprefix(long).removeprefix("sdc-questionnaire-")
    return url


def _listed(urls: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in sorted({_short(url) for url in urls}))
