"""What was sent is what is kept, to the last digit; what cannot be kept is refused with a place."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.fhir.serialization import MAX_DEPTH, MalformedJson, decode, encode

NUMBERS = [
    "0", "-1", "72.50", "72.5", "-0", "-0.0", "0.00", "1e2", "1E2", "1.0E+2", "1.0e-2", "1E400",
    "0.0000001", "1E-400", "100000000000000000000", "-9223372036854775809",
    "3.14159265358979323846", "1.000000000000000000000000000000000000000000000000001",
]  # fmt: skip

REFUSED = {
    "nothing": (b"", 1, 1),
    "an array": (b"[]", 1, 1),
    "a string": (b'"Patient"', 1, 1),
    "half an object": (b'{"a":', 1, 6),
    "text after the object": (b'{"a":1} x', 1, 10),
    "NaN": (b'{"a":NaN}', 1, 6),
    "Infinity": (b'{\n"a":-Infinity}', 2, 6),
    "a leading zero": (b'{"a":01}', 1, 7),
    "a single quote": (b"{'a':1}", 1, 2),
    "a comma too many": (b'{"a":1,}', 1, 8),
    "a raw control character": (b'{"a":"\x01"}', 1, 7),
    "invalid UTF-8": (b'{\n"a":"\xff"}', 2, 6),
    "a byte order mark": (b'\xef\xbb\xbf{"a":1}', 1, 1),
    "half a surrogate pair": (b'{"a":"\\ud800 and more text"}', 1, 13),
    "a key twice": (b'{"a":1,\n "b":{"c":1},\n "a":2}', 3, 2),
    "a key twice, spaced": (b'{"a" : 1, "a" : 2}', 1, 11),
    "a key twice, within": (b'{"x":[{"a":1,"a":1}]}', 1, 14),
    "a key twice, once escaped": (b'{"a":1,"\\u0061":2,"b":"\\u0022:"}', 1, 8),
}


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_comes_back_with_the_digits_it_was_sent_with(text: str) -> None:
    data = f'{{"value":{text}}}'.encode()
    value = decode(data)
    assert encode(value) == data
    assert value["value"] == Decimal(text)


def test_a_number_keeps_its_spelling_when_copied() -> None:
    value = decode(b'{"value":1e2}')
    assert encode(copy.deepcopy(value)) == b'{"value":1e2}'


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_kept_is_refused_with_its_place(name: str) -> None:
    data, line, column = REFUSED[name]
    with pytest.raises(MalformedJson) as refused:
        decode(data)
    assert (refused.value.line, refused.value.column) == (line, column)
    assert refused.value.message


def test_a_lone_surrogate_in_text_is_refused() -> None:
    with pytest.raises(MalformedJson):
        decode('{"a":"\ud800"}')


@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
def test_nesting_is_kept_to_its_limit_and_refused_beyond(opening: str, closing: str) -> None:
    def nested(depth: int) -> str:
        return '{"a":' + opening * (depth - 1) + "1" + closing * (depth - 1) + "}"

    assert encode(decode(nested(MAX_DEPTH))) == nested(MAX_DEPTH).encode()
    for depth in (MAX_DEPTH + 1, 5000):
        with pytest.raises(MalformedJson, match="nested deeper"):
            decode(nested(depth))


def test_brackets_in_text_are_not_nesting() -> None:
    data = b'{"a":"' + b"{[" * 500 + b'"}'
    assert encode(decode(data)) == data


def test_a_number_too_large_for_any_machine_is_refused() -> None:
    for number in ("1E99999999999999999999", "1" * 5000):
        with pytest.raises(MalformedJson):
            decode(f'{{"a":{number}}}')


def test_the_official_examples_come_back_as_they_were(examples: list[dict[str, str]]) -> None:
    for example in examples:
        value = decode(example["text"])
        assert decode(encode(value)) == value, example["file"]
        ours = json.loads(encode(value), parse_float=str, parse_int=str)
        assert ours == json.loads(example["text"], parse_float=str, parse_int=str)


# A property: whatever JSON number or text is sent, exactly that comes back.

_digits = st.from_regex(
    r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?", fullmatch=True
)
_text = st.text(st.characters(codec="utf-8"), max_size=20)
_leaves = st.one_of(_digits.map(lambda digits: ("number", digits)), _text, st.booleans(), st.none())
_trees = st.recursive(
    _leaves,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(_text, children, max_size=4),
    max_leaves=12,
)


def written(tree: Any, spaced: bool) -> str:
    """JSON text of a tree whose numbers are ("number", digits)."""
    comma, colon = (" , ", " : ") if spaced else (",", ":")
    if isinstance(tree, tuple):
        return str(tree[1])
    if isinstance(tree, dict):
        pairs = (json.dumps(key) + colon + written(value, spaced) for key, value in tree.items())
        return "{" + comma.join(pairs) + "}"
    if isinstance(tree, list):
        return "[" + comma.join(written(item, spaced) for item in tree) + "]"
    return json.dumps(tree)


@given(st.dictionaries(_text, _trees, max_size=4), st.booleans())
def test_every_number_and_every_text_survives(tree: dict[str, Any], spaced: bool) -> None:
    text = written(tree, spaced)
    came_back = encode(decode(text)).decode()
    assert exactly(came_back) == exactly(text)


@given(st.dictionaries(_text, _trees, min_size=1, max_size=4), st.booleans(), st.data())
def test_a_repeated_key_never_passes(
    tree: dict[str, Any], spaced: bool, data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(sorted(tree)))
    text = written(tree, spaced)
    repeated = text[:-1] + "," + json.dumps(key, ensure_ascii=data.draw(st.booleans())) + ":0}"
    with pytest.raises(MalformedJson, match="twice"):
        decode(repeated)


def exactly(text: str) -> Any:
    """The JSON with every number as its own text."""
    return json.loads(text, parse_float=lambda digits: ("f", digits), parse_int=lambda d: ("i", d))
