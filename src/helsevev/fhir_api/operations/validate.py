"""R4 resource-operation-validate: would this resource be taken as it is, and what was looked at?"""

from __future__ import annotations

from typing import Any, Final

from helsevev.access.errors import Invalid
from helsevev.access.terminology import Coded, Terminology
from helsevev.access.terminology_errors import CannotTell, NotKnown
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.profiles.checking import check_profile
from helsevev.fhir.profiles.norwegian import norwegian
from helsevev.fhir.profiles.reading import CORE, Profile, UnfitDefinition, named_in, profile_of
from helsevev.fhir_api.answer import Answer, of_issues
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.operation import ANY_TYPE, Operation
from helsevev.fhir_api.operations.parameters import Given, given
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import PRESENTATION, Request

_KNOWN: Final = ("resource", "mode", "profile")
_MODES: Final = ("", "create", "update", "delete", "profile")
_MOST_PROFILES: Final = 60
_MOST_CODES: Final = 200
_MOST_MEMBERS: Final = 20_000
_Question = tuple[str, ...]
"""A value set, a system and a code."""

_NOT_LOOKED_AT: Final = Issue(
    "information", "informational",
    "Checked: R4's structure, types, cardinalities, required bindings and the invariants that this"
    " server knows, the rules of the chapter that owns the type, and profiles. Not checked: codes"
    " that no required binding demands, and whether what is referred to exists.",
)  # fmt: skip


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with an OperationOutcome; it has errors when the resource would not be taken."""
    asked = await _asked(request)
    mode = asked.text("mode")
    if mode not in _MODES:
        raise bad_request("The parameter mode is create, update, delete or profile.", "value")
    kind, instance = request.segments[0], len(request.segments) == 3
    resource = asked.element("resource")
    if resource is None and instance:
        stored = await doors.gate.open_resource(request.actor, kind, request.segments[1])
        if mode == "delete":
            text = "Whether others refer to it is not checked; a deletion does not ask."
            return of_issues(200, [Issue("information", "informational", text)])
        resource = stored.resource
    if resource is None:
        raise bad_request("There is no resource to validate.", "required", "resource")
    issues = _of_place(request, resource, mode)
    issues += _of_rules(doors, resource)
    urls = asked.all("profile") or _claimed(resource)
    if urls and any(issue.is_error for issue in issues):
        text = "Not checked. Profiles are looked at when the resource is valid R4."
        issues.append(Issue("information", "incomplete", text))
    else:
        demanded = bool(asked.all("profile"))
        for url in urls:
            issues += await _of_profile(doors, request, resource, str(url), demanded)
    return of_issues(200, [*issues, _NOT_LOOKED_AT])


async def _asked(request: Request) -> Given:
    """The parameters; a body that is no Parameters is the resource itself."""
    body = await request.resource() if request.method == "POST" else None
    if body is None or body.get("resourceType") == "Parameters":
        return await given(request, _KNOWN)
    found = Given()
    for name, value in request.parameters:
        if name not in PRESENTATION:
            found.texts.setdefault(name, []).append(value)
    found.texts["resource"] = [body]
    found.refuse_others(_KNOWN)
    return found


def _of_place(request: Request, resource: dict[str, Any], mode: str) -> list[Issue]:
    """What fits neither the URL nor the mode."""
    kind, named = request.segments[0], resource.get("resourceType")
    if named != kind:
        return [error("invalid", f"The resource is no {kind}.", "resourceType")]
    place = request.segments[1:-1]
    if place and resource.get("id", place[0]) != place[0]:
        return [error("invalid", "The resource has another id than the URL.", f"{kind}.id")]
    if mode == "update" and "id" not in resource:
        return [error("required", "An update names the resource's id.", f"{kind}.id")]
    return []


def _of_rules(doors: Doors, resource: dict[str, Any]) -> list[Issue]:
    try:
        doors.writer.check(resource)
    except Invalid as invalid:
        return list(invalid.issues)
    return []


def _claimed(resource: dict[str, Any]) -> list[str]:
    meta = resource.get("meta")
    profiles = meta.get("profile") if type(meta) is dict else None
    return [url for url in profiles if type(url) is str] if type(profiles) is list else []


async def _of_profile(
    doors: Doors, request: Request, resource: dict[str, Any], url: str, demanded: bool
) -> list[Issue]:
    if url.partition("|")[0] == f"{CORE}{resource.get('resourceType')}":
        return []
    known = await _gather(doors, request, url)
    profile = known.get(url.partition("|")[0])
    if profile is None:
        text = f"The profile {url} is not known here."
        if demanded:
            return [error("not-found", text)]
        return [Issue("information", "incomplete", f"Not checked. {text}")]
    asked: dict[_Question, bool | None] = {}

    def members(*question: str) -> bool | None:
        return asked.setdefault(question, None)

    def check() -> list[Issue]:
        return check_profile(
            resource, profile, lambda name: known.get(name.partition("|")[0]), members
        )

    issues = check()
    if not asked:
        return issues
    # Which codes are asked about is known once the profile was followed; then it is once more.
    for question in list(asked)[:_MOST_CODES]:
        asked[question] = await _is_member(doors.services.terminology, *question)
    return check()


async def _is_member(
    terminology: Terminology, value_set: str, system: str, code: str
) -> bool | None:
    """Whether the value set has the code; None when it is not here, or cannot be worked out."""
    try:
        if system:
            verdict = await terminology.validate_in(value_set, Coded(system, code))
            return verdict.result
        sets = await terminology.member_codes(value_set, most=_MOST_MEMBERS)
    except (NotKnown, CannotTell):
        return None
    return any(code in each.codes for each in sets)


async def _gather(doors: Doors, request: Request, url: str) -> dict[str, Profile]:
    """The profile and all that it names, from the record first and then from the project."""
    known: dict[str, Profile] = {}
    waiting, seen = [url.partition("|")[0]], set[str]()
    while waiting and len(seen) < _MOST_PROFILES:
        name = waiting.pop()
        if name in seen or name.startswith(CORE):
            continue
        seen.add(name)
        profile = await _loaded(doors, request, name) or norwegian(name)
        if profile is not None:
            known[name] = profile
            waiting += [each.partition("|")[0] for each in named_in(profile)]
    return known


async def _loaded(doors: Doors, request: Request, url: str) -> Profile | None:
    if any(mark in url for mark in "&,$#?") or not url.isprintable():
        return None
    found = await doors.searcher.match(request.actor, "StructureDefinition", f"url={url}")
    for stored in found:
        try:
            return profile_of(stored.resource)
        except UnfitDefinition:
            continue
    return None


OPERATION: Final = Operation(
    name="validate",
    definition="http://hl7.org/fhir/OperationDefinition/Resource-validate",
    answer=answer,
    types=ANY_TYPE,
    instances=ANY_TYPE,
)
