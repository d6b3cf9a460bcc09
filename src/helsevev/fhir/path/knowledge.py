"""Functions that ask what the resource itself does not say: of value sets, and of profiles.

http://hl7.org/fhir/R4/fhirpath.html#functions. Who evaluates an expression hands in who knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from helsevev.fhir import definitions
from helsevev.fhir.path.site import Maker, Site, Typed
from helsevev.fhir.path.syntax import PathError
from helsevev.fhir.path.values import Env, Items, plain, text_of

_CORE: Final = "http://hl7.org/fhir/StructureDefinition/"


def _member_of(site: Site) -> Typed:
    site.takes(1)
    source, url_of = site.source.run, site.value(0)

    def run(this: Items, env: Env) -> Items:
        items = [plain(item) for item in source(this, env)]
        url = text_of(url_of(this, env), "memberOf()")
        if not items or url is None:
            return []
        if len(items) > 1:
            raise PathError(f"memberOf() takes one value, and there are {len(items)}.")
        verdicts = [_is_member(env, url, *coding) for coding in _codings(items[0])]
        if True in verdicts:
            return [True]
        if None in verdicts:
            raise PathError(f"The codes of {url[:200]} are not known here.")
        return [False]

    return Typed(run, "System.Boolean")


def _is_member(env: Env, url: str, system: str, code: str) -> bool | None:
    listed = definitions.codes(url.partition("|")[0])
    if listed is not None:
        systems = [system] if system else list(listed)
        return any(code in listed.get(each, ()) for each in systems)
    if env.knows is None or env.knows.members is None:
        return None
    return bool(code) and env.knows.members(url, system, code)


def _codings(value: Any) -> Iterator[tuple[str, str]]:
    if type(value) is str:
        yield "", value
    elif type(value) is dict:
        coded = value.get("coding", () if "text" in value else [value])
        for each in coded if type(coded) is list else ():
            if type(each) is dict:
                yield str(each.get("system", "")), str(each.get("code", ""))
    else:
        raise PathError("memberOf() is asked of a code, a Coding, a CodeableConcept or a string.")


def _conforms_to(site: Site) -> Typed:
    site.takes(1)
    source, url_of = site.source.run, site.value(0)

    def run(this: Items, env: Env) -> Items:
        items = [plain(item) for item in source(this, env)]
        url = text_of(url_of(this, env), "conformsTo()")
        if len(items) != 1 or not url:
            return []
        verdict = _conforms(env, items[0], url)
        return [] if verdict is None else [verdict]

    return Typed(run, "System.Boolean")


def _conforms(env: Env, value: Any, url: str) -> bool | None:
    kind = url.removeprefix(_CORE) if url.startswith(_CORE) else ""
    if kind in definitions.RESOURCE_TYPES:
        return type(value) is dict and value.get("resourceType") == kind
    if env.knows is None or env.knows.conforms is None:
        return None
    return env.knows.conforms(value, url)


FUNCTIONS: Final[dict[str, Maker]] = {"conformsTo": _conforms_to, "memberOf": _member_of}
