"""From the tree of an expression to closures, with R4's types resolved beforehand.

A walk down from a resource becomes a few dictionary look-ups. Types that only the data can tell
(a choice, a contained resource) travel with their values, as nodes.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from helsevev.fhir import definitions
from helsevev.fhir.path import (
    calculations,
    conversions,
    filtering,
    kinds,
    knowledge,
    navigation,
    operators,
    relations,
    strings,
    totals,
)
from helsevev.fhir.path.site import FALSE, TRUE, Maker, Site, Typed, as_nodes, joined_type
from helsevev.fhir.path.syntax import (
    Binary,
    Call,
    Index,
    Literal,
    Name,
    PathError,
    Tree,
    TypeTest,
    Unary,
    Variable,
)
from helsevev.fhir.path.values import Env, Items, Node, Run, whole_of

_FUNCTIONS: Final[dict[str, Maker]] = {
    **filtering.FUNCTIONS, **conversions.FUNCTIONS, **navigation.FUNCTIONS,
    **calculations.FUNCTIONS, **strings.FUNCTIONS, **knowledge.FUNCTIONS,
    **totals.FUNCTIONS,
}  # fmt: skip
_CONSTANTS: Final = {
    "ucum": "http://unitsofmeasure.org", "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
}  # fmt: skip
FOCUS: Final = frozenset({"resource", "rootResource", "context"})
_TREES: Final = frozenset({"children", "descendants", "hasValue", "checkModifiers"})


class NeedsNodes(Exception):
    """The expression asks for ids or extensions of primitives, so their values must be nodes."""


class Compiler:
    """Compiles one expression for one type of focus. `strict` refuses elements R4 does not have.

    `variables` are the names an expression may use besides those of the specification; None:
    whatever it likes. `%context` is an element of type `context`; None: the focus.
    """

    def __init__(
        self,
        focus: str | None,
        *,
        strict: bool = False,
        nodes: bool = False,
        variables: Collection[str] | None = None,
        context: str | None = None,
    ) -> None:
        self._focus = focus
        self._context = context
        self._strict = strict
        self._nodes = nodes
        self._variables = variables

    def compile(self, tree: Tree, this: str | None) -> Typed:
        """The closure of a tree in a context of type `this`. Raises `PathError`, `NeedsNodes`."""
        match tree:
            case Literal():
                return _literal(tree)
            case Name():
                return self._name(tree, this)
            case Call():
                return self._call(tree, this)
            case Variable():
                return self._variable(tree, this)
            case TypeTest():
                return self._type_test(tree, this)
            case Index():
                return self._index(tree, this)
            case Unary():
                operand = self.compile(tree.operand, this)
                return (
                    operand
                    if tree.operator == "+"
                    else Typed(operators.negated(operand.run), operand.type)
                )
            case Binary():
                return self._binary(tree, this)

    def _name(self, tree: Name, this: str | None) -> Typed:
        if tree.source is None:
            first = self._type_name(tree.name, this)
            if first is not None:
                return first
            return self._member(_itself(this), tree.name)
        return self._member(self.compile(tree.source, this), tree.name)

    def _type_name(self, name: str, this: str | None) -> Typed | None:
        """`Patient` at the beginning of `Patient.name`: the context, when it is one."""
        if not name[0].isupper():
            return None
        known = kinds.written(name)
        if known is None or not (name in kinds.ABSTRACT or definitions.is_structure(name)):
            return None
        if this is None:
            return Typed(_filter(_this, None, known), None if known in kinds.ABSTRACT else known)
        if kinds.is_a(this, known):
            return _itself(this)
        if self._strict:
            raise PathError(f"{name} is not what this expression is about, a {this}.")
        return Typed(_nothing, None)

    def _member(self, source: Typed, name: str) -> Typed:
        kind = source.type
        if kind is None:
            return Typed(navigation.dynamic_member(source.run, name))
        if kinds.is_primitive(kind):
            return self._beside(source, name)
        steps = kinds.steps("Quantity" if kind == "System.Quantity" else kind, name)
        if steps is None:
            if self._strict:
                raise PathError(f"{kind} has no element {name}.")
            return Typed(_nothing, None)
        step = steps[0]
        if len(steps) > 1 or step.type is None or (self._nodes and step.primitive):
            run = navigation.choice(source.run, steps)
            return Typed(run, step.type if len(steps) == 1 else None)
        return _walked(source, step.key, step.primitive, step.type)

    def _beside(self, source: Typed, name: str) -> Typed:
        if name in ("extension", "id"):
            if not self._nodes:
                raise NeedsNodes
            run = navigation.dynamic_member(source.run, name)
            return Typed(run)
        if self._strict:
            raise PathError(f"{source.type} has no element {name}.")
        return Typed(_nothing, None)

    def _call(self, tree: Call, this: str | None) -> Typed:
        maker = _FUNCTIONS.get(tree.name)
        if maker is None:
            raise PathError(f"There is no function {tree.name}().")
        if tree.name in _TREES and not self._nodes:
            raise NeedsNodes
        source = _itself(this) if tree.source is None else self.compile(tree.source, this)
        if tree.name == "extension" and kinds.is_primitive(source.type) and not self._nodes:
            raise NeedsNodes
        return maker(Site(tree.name, source, tree.arguments, this, self.compile, self._strict))

    def _variable(self, tree: Variable, this: str | None) -> Typed:
        name = tree.name
        if name == "$this":
            return _itself(this)
        if name == "$index":
            return Typed(lambda _this, env: [env.index], "System.Integer")
        if name == "$total":
            return Typed(lambda _this, env: env.total)
        if name in FOCUS:
            kind = self._context if name == "context" and self._context else self._focus
            whole = kind if name == "context" or kind in definitions.RESOURCE_TYPES else None
            return Typed(_focus_named(name), whole)
        if name in _CONSTANTS:
            value = [_CONSTANTS[name]]
            return Typed(lambda _this, _env: value, "System.String")
        if self._variables is not None and name not in self._variables:
            raise PathError(f"There is no variable %{name}.")
        return Typed(_variable_named(name))

    def _type_test(self, tree: TypeTest, this: str | None) -> Typed:
        wanted = kinds.written(tree.type)
        if wanted is None:
            raise PathError(f"{tree.type} is no type.")
        chosen = self._chosen(tree, wanted, this) if tree.operator != "is" else None
        if chosen is not None:
            return chosen
        source = self.compile(tree.source, this)
        if tree.operator == "is":
            return Typed(_is(source.run, source.type, wanted), "System.Boolean")
        if source.type is not None and kinds.is_a(source.type, wanted):
            return source
        known = None if wanted in kinds.ABSTRACT else wanted
        keep = self._nodes and kinds.is_primitive(wanted)
        return Typed(_filter(source.run, source.type, wanted, keep=keep), known)

    def _chosen(self, tree: TypeTest, wanted: str, this: str | None) -> Typed | None:
        """`value.ofType(Quantity)`: straight to `valueQuantity`."""
        name = tree.source
        if not isinstance(name, Name) or (name.source is None and name.name[0].isupper()):
            return None
        source = _itself(this) if name.source is None else self.compile(name.source, this)
        if source.type is None or kinds.is_primitive(source.type):
            return None
        steps = kinds.steps(source.type, name.name) or ()
        if len(steps) < 2:
            return None
        fitting = [step for step in steps if step.type and kinds.is_a(step.type, wanted)]
        if not fitting:
            if self._strict:
                raise PathError(f"{source.type}.{name.name} is never a {tree.type}.")
            return Typed(_nothing, wanted)
        step = fitting[0]
        if len(fitting) > 1 or (self._nodes and step.primitive):
            kind = wanted if kinds.is_primitive(wanted) else None
            return Typed(navigation.choice(source.run, tuple(fitting)), kind)
        return _walked(source, step.key, step.primitive, step.type)

    def _index(self, tree: Index, this: str | None) -> Typed:
        source = self.compile(tree.source, this)
        index = self.compile(tree.index, this).run

        def run(this: Items, env: Env) -> Items:
            place = whole_of(index(this, env), "[ ]")
            if place is None or place < 0:
                return []
            return source.run(this, env)[place : place + 1]

        return Typed(run, source.type)

    def _binary(self, tree: Binary, this: str | None) -> Typed:
        listed = constants(tree)
        if listed is not None:
            return Typed(lambda _this, _env: listed, "System.String")
        left, right = self.compile(tree.left, this), self.compile(tree.right, this)
        operator = tree.operator
        moment = kinds.moment(left.type) or kinds.moment(right.type)
        if operator in ("=", "!="):
            return Typed(relations.equality(operator, left, right, tree, moment), "System.Boolean")
        if operator in ("<", ">", "<=", ">="):
            ordered = operators.ordering(operator, moment)
            return Typed(
                relations.comparison(operator, left.run, right.run, ordered), "System.Boolean"
            )
        if operator in ("~", "!~"):
            return Typed(relations.equivalence(operator, left.run, right.run), "System.Boolean")
        if operator in ("and", "or", "xor", "implies"):
            return Typed(operators.logic(operator, left.run, right.run), "System.Boolean")
        if operator == "|":
            return _union(left, right)
        if operator in ("in", "contains"):
            inner, outer = (left, right) if operator == "in" else (right, left)
            among = constants(tree.right if operator == "in" else tree.left)
            if among is not None:
                return Typed(relations.among(inner.run, among), "System.Boolean")
            return Typed(relations.membership(inner.run, outer.run), "System.Boolean")
        if operator == "&":
            return Typed(strings.concatenation(left.run, right.run), "System.String")
        kind = kinds.moment(left.type)
        result = left.type if kind or left.type == right.type else None
        if operator == "/" and kind is None:
            result = None
        return Typed(operators.arithmetic(operator, left.run, right.run, kind), result)


def constants(tree: Tree) -> Items | None:
    """The texts of `'a' | 'b' | …`, each once; None for anything else."""
    if isinstance(tree, Binary) and tree.operator == "|":
        left, right = (
            [each.value] if isinstance(each, Literal) and each.type == "String" else constants(each)
            for each in (tree.left, tree.right)
        )
        if left is not None and right is not None:
            return list(dict.fromkeys([*left, *right]))
    return None


def _this(this: Items, _env: Env) -> Items:
    return this


def _nothing(_this: Items, _env: Env) -> Items:
    return []


def _itself(kind: str | None) -> Typed:
    return Typed(_this, kind, _this, ())


def _literal(tree: Literal) -> Typed:
    if tree.type == "Empty":
        return Typed(_nothing, None)
    items = [tree.value]
    return Typed(lambda _this, _env: items, f"System.{tree.type}")


def _focus_named(name: str) -> Run:
    def run(_this: Items, env: Env) -> Items:
        if name in env.variables:
            value = env.variables[name]
            return value if type(value) is list else [value]
        return [env.resource]

    return run


def _variable_named(name: str) -> Run:
    def run(_this: Items, env: Env) -> Items:
        if name not in env.variables:
            raise PathError(f"There is no variable %{name}.")
        value = env.variables[name]
        if type(value) is list:
            return value
        return [] if value is None else [value]

    return run


def _walked(source: Typed, key: str, primitive: bool, kind: str | None) -> Typed:
    base = source.base if source.base is not None else source.run
    keys = (*(source.keys if source.base is not None else ()), (key, primitive))
    run = (
        navigation.one_step(base, key, primitive, kind)
        if len(keys) == 1
        else (navigation.walk(base, keys, kind))
    )
    return Typed(run, kind, base, keys)


def _filter(source: Run, kind: str | None, wanted: str, *, keep: bool = False) -> Run:
    def run(this: Items, env: Env) -> Items:
        found: Items = []
        for item in source(this, env):
            actual = kinds.type_of(item, kind)
            if actual is not None and kinds.is_a(actual, wanted):
                bare = type(item) is Node and not keep and item.value is not None
                found.append(item.value if bare and wanted not in kinds.ABSTRACT else item)
        return found

    return run


def _is(source: Run, kind: str | None, wanted: str) -> Run:
    def run(this: Items, env: Env) -> Items:
        items = source(this, env)
        if not items:
            return []
        if len(items) > 1:
            raise PathError("is takes one value.")
        actual = kinds.type_of(items[0], kind)
        return TRUE if actual is not None and kinds.is_a(actual, wanted) else FALSE

    return run


def _union(left: Typed, right: Typed) -> Typed:
    kind = joined_type(left.type, right.type)

    def run(this: Items, env: Env) -> Items:
        one, other = left.run(this, env), right.run(this, env)
        if kind is None:
            one, other = as_nodes(one, left.type), as_nodes(other, right.type)
        return operators.distinct([*one, *other], env)

    return Typed(run, kind)
