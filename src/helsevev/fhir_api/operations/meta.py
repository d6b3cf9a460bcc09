"""$meta, $meta-add and $meta-delete: read and change what labels a resource.

http://hl7.org/fhir/R4/resource-operation-meta.html. R4 lets a server change labels without a new
version. Here each change of labels is one: it is decided and audited as any other write, a label
that was taken off can be found again in the history, and who saw the older version is told so.
"""

from __future__ import annotations

from typing import Any, Final

from helsevev.access.errors import Invalid
from helsevev.access.writing import Change, fingerprint_of
from helsevev.fhir.meta_labels import LABELS, added, labels, removed
from helsevev.fhir.outcome import error
from helsevev.fhir.validation import validate
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.operation import ANY_TYPE, Operation
from helsevev.fhir_api.operations.parameters import answered, given, value
from helsevev.fhir_api.problem import Problem, bad_request
from helsevev.fhir_api.request import Request, version_number


async def read(doors: Doors, request: Request) -> Answer:
    """200 with a resource's or a version's whole meta; 403, 404 or 410 as a read.

    Of a type or the system it tells each label that is in use, to those who may read all of it.
    """
    await given(request, ())
    match request.segments:
        case (kind, resource_id, "_history", version, _):
            number = version_number(version)
            stored = await doors.gate.open_version(request.actor, kind, resource_id, number)
            meta = stored.resource["meta"]
        case (kind, resource_id, _):
            stored = await doors.gate.open_resource(request.actor, kind, resource_id)
            meta = stored.resource["meta"]
        case place:
            kind_asked = place[0] if len(place) == 2 else None
            meta = await doors.services.labels_in_use.of(request.actor, kind_asked)
    return answered([value("return", "Meta", meta)] if meta else [])


async def add(doors: Doors, request: Request) -> Answer:
    """200 with the meta that has the labels as well; failures as `_change`."""
    asked = await _asked(request)
    return await _change(doors, request, asked, lambda resource: added(resource, asked))


async def delete(doors: Doors, request: Request) -> Answer:
    """200 with the meta that has the labels no longer; failures as `_change`."""
    asked = await _asked(request)
    return await _change(doors, request, asked, lambda resource: removed(resource, asked))


async def _asked(request: Request) -> dict[str, Any]:
    """The labels sent. Raises `Problem` 400, or `Invalid` for what is no Meta."""
    meta = (await given(request, ("meta",))).element("meta")
    if meta is None:
        raise bad_request("The parameter meta is needed.", "required", "meta")
    # A resource of its own, so that what is wrong is told before anything is read.
    alone = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}
    if issues := [issue for issue in validate(alone) if issue.is_error]:
        raise Invalid(issues)
    if not labels({"meta": meta}):
        text = f"The parameter meta names some of {', '.join(LABELS)}."
        raise bad_request(text, "required", "meta")
    return meta


async def _change(doors: Doors, request: Request, asked: dict[str, Any], change: Change) -> Answer:
    """Store what `change` makes of the newest version, or of the one that If-Match names.

    Labels are sets, so that no version need be named; 412 when somebody wrote in between. 403,
    404, 410; 400 or 422 for labels that make the resource invalid, 422 for a version that was.
    """
    kind, resource_id, *version, name = request.segments
    if_match, key = request.if_match, request.idempotency_key
    # The answer tells what labels there are, which an app may have to be let read.
    if if_match is None or version or request.actor.scopes is not None:
        current = await doors.gate.open_resource(request.actor, kind, resource_id)
        if version and version_number(version[1]) != current.version:
            text = f"Only the newest version, {current.version}, is labelled: what was stays so."
            raise Problem(422, error("business-rule", text))
        if_match = if_match or current.version
    written = await doors.writer.patch(
        request.actor, kind, resource_id, change, if_match=if_match,
        idempotency_key=key, fingerprint=fingerprint_of(name, asked),
    )  # fmt: skip
    return answered([value("return", "Meta", written.stored.resource["meta"])])


_DEFINED: Final = "http://hl7.org/fhir/OperationDefinition/Resource-meta"
META: Final = Operation(
    name="meta", definition=_DEFINED, answer=read, system=True, types=ANY_TYPE,
    instances=ANY_TYPE, of_versions=True,
)  # fmt: skip
ADD: Final = Operation(
    name="meta-add", definition=f"{_DEFINED}-add", answer=add, instances=ANY_TYPE,
    affects_state=True, of_versions=True,
)  # fmt: skip
DELETE: Final = Operation(
    name="meta-delete", definition=f"{_DEFINED}-delete", answer=delete, instances=ANY_TYPE,
    affects_state=True, of_versions=True,
)  # fmt: skip
