"""A patch in one of R4's two languages, read once and then applied to a resource.

http://hl7.org/fhir/R4/http.html#patch: JSON Patch as a document of its own or in a Binary (in a
Bundle, where only resources have a place), FHIRPath Patch as Parameters.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from helsevev.fhir import fhirpath_patch, json_patch, serialization
from helsevev.fhir.patching import failed, malformed
from helsevev.fhir.references import is_conditional
from helsevev.fhir.serialization import MalformedJson

JSON_PATCH: Final = "application/json-patch+json"
FORMATS: Final = (JSON_PATCH, "application/fhir+json")
"""The content types of patches that are taken."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch that was read: `document` is its decoded text, `change` makes it happen."""

    document: Any
    change: Callable[[dict[str, Any]], Any]

    def apply(self, resource: dict[str, Any]) -> dict[str, Any]:
        """The changed resource; the given one stays as it is. Raises `PatchFailed`.

        Type and id stay what they are; whether the outcome is a sound resource, validation tells.
        """
        try:
            # Once through JSON, so that what was put together meets the limits of what is sent.
            changed = serialization.decode(serialization.encode(self.change(resource)))
        except MalformedJson as failure:
            raise failed(f"The outcome cannot be kept: {failure.message}.") from None
        except RecursionError:
            raise failed("The outcome is nested too deeply.", code="too-costly") from None
        kind = str(resource["resourceType"])
        for name in ("resourceType", "id"):
            if changed.get(name) != resource.get(name):
                place = f"{kind}.{name}" if name == "id" else name
                raise failed(f"A patch does not change {name}.", place, "value")
        return changed

    @property
    def conditional_references(self) -> Iterator[str]:
        """Every text in the patch that may be a search in place of a reference."""
        waiting = [self.document]
        while waiting:
            value = waiting.pop()
            if type(value) is dict:
                waiting += value.values()
            elif type(value) is list:
                waiting += value
            elif type(value) is str and "?" in value and is_conditional(value):
                yield value


def read_json(data: bytes) -> Patch:
    """A JSON Patch document. Raises `MalformedJson` or `MalformedPatch`."""
    return of_operations(serialization.decode_list(data))


def of_operations(document: list[Any], place: str = "") -> Patch:
    """A decoded JSON Patch document, which stands at `place`. Raises `MalformedPatch`."""
    operations = json_patch.read(document, place)
    return Patch(document, lambda resource: json_patch.apply(operations, resource))


def of_resource(resource: dict[str, Any]) -> Patch:
    """A patch as a resource: FHIRPath Patch, or JSON Patch in a Binary. Raises `MalformedPatch`."""
    match resource.get("resourceType"):
        case "Binary":
            return _of_binary(resource)
        case "Parameters":
            steps = fhirpath_patch.read(resource)
            return Patch(resource, lambda changed: fhirpath_patch.apply(steps, changed))
        case other:
            text = f"A patch is a Binary or Parameters, not {str(other)[:80]!r}."
            raise malformed(text, "resourceType", "value")


def _of_binary(binary: dict[str, Any]) -> Patch:
    kind = str(binary.get("contentType", "")).partition(";")[0].strip().lower()
    if kind != JSON_PATCH:
        text = f"The Binary must hold {JSON_PATCH}, not {kind[:80]!r}."
        raise malformed(text, "Binary.contentType", "not-supported")
    try:
        data = b64decode("".join(str(binary.get("data", "")).split()), validate=True)
    except ValueError:
        raise malformed("The data are not base64.", "Binary.data", "value") from None
    try:
        document = serialization.decode_list(data)
    except MalformedJson as failure:
        raise malformed(str(failure), "Binary.data", "structure") from None
    return of_operations(document, "Binary.data")
