"""JSON Patch does what another implementation does, and what that one cannot: keep every digit."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.fhir import json_patch, patch, serialization
from helsevev.fhir.patching import MalformedPatch, PatchFailed

NAMES = ["a", "b", "a/b", "m~n", ""]
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["x", "y", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=8,
)
pointers = st.lists(
    st.sampled_from(["a", "b", "a~1b", "m~0n", "", "0", "1", "2", "-", "01"]), max_size=3
).map(lambda steps: "".join(f"/{step}" for step in steps))
operations = st.one_of(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "replace", "test"]), "path": pointers, "value": documents}
    ),
    st.fixed_dictionaries({"op": st.just("remove"), "path": pointers}),
    st.fixed_dictionaries(
        {"op": st.sampled_from(["move", "copy"]), "path": pointers, "from": pointers}
    ),
)
objects = st.dictionaries(st.sampled_from(NAMES), documents, max_size=4)


def done_here(resource: Any, operations: Any) -> Any:
    try:
        return json_patch.apply(json_patch.read(operations), resource)
    except (MalformedPatch, PatchFailed):
        return "refused"


def done_elsewhere(resource: Any, operations: Any) -> Any:
    try:
        return jsonpatch.apply_patch(resource, operations)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException):
        return "refused"


def is_arguable(operations: list[dict[str, Any]]) -> bool:
    """What the other implementation takes otherwise than RFC 6902 says."""
    return any(
        # The whole document taken away or moved; true taken for 1; a move into itself.
        (item["op"] in ("remove", "move", "copy") and "" in (item["path"], item.get("from")))
        or item["op"] == "test"
        or (item["op"] == "move" and item["path"].startswith(item["from"]))
        for item in operations
    )


@given(resource=objects, patched=st.lists(operations, max_size=4))
def test_it_agrees_with_another_implementation(resource: Any, patched: Any) -> None:
    if is_arguable(patched):
        return
    before = deepcopy(resource)
    found = done_here(resource, patched)
    assert found == done_elsewhere(deepcopy(before), patched)
    assert resource == before


@given(value=documents, other=documents)
def test_a_test_is_equality_of_json(value: Any, other: Any) -> None:
    tested = [{"op": "test", "path": "/a", "value": other}]
    same = serialization.encode(_sorted(value)) == serialization.encode(_sorted(other))
    assert (done_here({"a": value}, tested) != "refused") == same


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def test_numbers_are_equal_by_value_and_kept_by_spelling() -> None:
    resource = serialization.decode(b'{"resourceType":"Basic","a":1.50,"b":1e2,"c":[0.10]}')
    text = b'[{"op":"test","path":"/a","value":1.5},{"op":"copy","from":"/b","path":"/d"},'
    text += b'{"op":"add","path":"/c/-","value":2.00}]'
    patched = patch.read_json(text).apply(resource)
    assert serialization.encode(patched) == (
        b'{"resourceType":"Basic","a":1.50,"b":1e2,"c":[0.10,2.00],"d":1e2}'
    )
    assert patched["a"] == Decimal("1.5")


@pytest.mark.parametrize("one", [True, 1, "1", None, [], {}])
def test_nothing_equals_what_is_of_another_kind(one: Any) -> None:
    others: list[Any] = [True, 1, "1", None, [], {}]
    for other in others:
        tested = [{"op": "test", "path": "/a", "value": other}]
        assert (done_here({"a": one}, tested) != "refused") == (type(one) is type(other))


def test_copies_that_double_are_stopped() -> None:
    doubling = [{"op": "copy", "from": "/a", "path": f"/a/{n}"} for n in range(200)]
    with pytest.raises(PatchFailed) as told:
        patch.of_operations(doubling).apply({"resourceType": "Basic", "a": {"x": "x" * 100}})
    assert told.value.issues[0].code == "too-costly"


def test_nesting_too_deep_is_refused() -> None:
    deeper = [{"op": "move", "from": "/a", "path": "/b"}, {"op": "add", "path": "/a", "value": {}},
              {"op": "move", "from": "/b", "path": "/a/b"}]  # fmt: skip
    for rounds in (100, 1500):
        with pytest.raises(PatchFailed):
            patch.of_operations(deeper * rounds).apply(
                {"resourceType": "Basic", "a": {"b": {"c": [[[[[{"d": [[[[1]]]]}]]]]]}}}
            )


def test_a_patch_of_too_many_operations_is_refused() -> None:
    with pytest.raises(MalformedPatch) as told:
        patch.of_operations([{"op": "remove", "path": "/a"}] * 5001)
    assert told.value.issues[0].code == "too-long"
