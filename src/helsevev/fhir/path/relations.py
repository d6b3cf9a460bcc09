"""Relations between two operands: equal, equivalent, ordered, within; made for their types."""

from __future__ import annotations

from helsevev.fhir.path import operators
from helsevev.fhir.path.site import FALSE, TRUE, Typed
from helsevev.fhir.path.syntax import Binary, Literal, PathError
from helsevev.fhir.path.values import Env, Items, Node, Run, plain


def equality(operator: str, left: Typed, right: Typed, tree: Binary, moment: str | None) -> Run:
    """`=` and `!=`; `moment` when one of the operands is a date, a date-time or a time."""
    yes, no = (TRUE, FALSE) if operator == "=" else (FALSE, TRUE)
    equal = operators.equals(moment)
    one_run, other_run = left.run, right.run
    if isinstance(tree.right, Literal) and tree.right.type == "String" and moment is None:
        wanted = tree.right.value

        def run_text(this: Items, env: Env) -> Items:
            items = one_run(this, env)
            if len(items) != 1:
                return no if items else []
            value = items[0]
            if type(value) is Node:
                value = value.value
                if value is None:
                    return []
            return yes if value == wanted else no

        return run_text

    def run(this: Items, env: Env) -> Items:
        found = operators.equal_items(one_run(this, env), other_run(this, env), equal)
        return [] if found is None else yes if found else no

    return run


def comparison(operator: str, left: Run, right: Run, ordered: operators.Compare) -> Run:
    """`<` and its like, of single values."""

    def run(this: Items, env: Env) -> Items:
        one, other = left(this, env), right(this, env)
        if not one or not other:
            return []
        if len(one) > 1 or len(other) > 1:
            raise PathError(f"{operator} compares single values.")
        first, second = plain(one[0]), plain(other[0])
        if first is None or second is None:
            return []
        found = ordered(first, second)
        return [] if found is None else TRUE if found else FALSE

    return run


def among(inner: Run, texts: Items) -> Run:
    """`in` a list of texts that is known beforehand."""
    wanted = frozenset(texts)

    def run(this: Items, env: Env) -> Items:
        items = inner(this, env)
        if not items:
            return []
        if len(items) > 1:
            raise PathError("in takes one value.")
        value = plain(items[0])
        if value is None:
            return []
        return TRUE if type(value) is str and value in wanted else FALSE

    return run


def equivalence(operator: str, left: Run, right: Run) -> Run:
    """`~` and `!~`."""
    yes, no = (TRUE, FALSE) if operator == "~" else (FALSE, TRUE)

    def run(this: Items, env: Env) -> Items:
        return yes if operators.equivalent_items(left(this, env), right(this, env)) else no

    return run


def membership(item: Run, collection: Run) -> Run:
    """`in` and `contains`: whether a collection has an item."""

    def run(this: Items, env: Env) -> Items:
        wanted = item(this, env)
        if not wanted:
            return []
        if len(wanted) > 1:
            raise PathError("in and contains look for one value.")
        return TRUE if operators.holds(collection(this, env), plain(wanted[0]), env) else FALSE

    return run
