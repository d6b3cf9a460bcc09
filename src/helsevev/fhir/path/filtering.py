"""Functions that choose, test, project and combine the items of collections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from helsevev.fhir.path import kinds, operators, quantities
from helsevev.fhir.path.site import FALSE, TRUE, Maker, Site, Typed, as_nodes, joined_type
from helsevev.fhir.path.syntax import PathError
from helsevev.fhir.path.values import Env, Items, plain, single, truth, whole_of


def _where(site: Site) -> Typed:
    site.takes(1)
    source, criterion = site.source.run, site.criterion().run

    def run(this: Items, env: Env) -> Items:
        outer = env.index
        found: Items = []
        items = source(this, env)
        env.spend(len(items))
        for place, item in enumerate(items):
            env.index = place
            held = criterion([item], env)
            if held and truth(held, "where()"):
                found.append(item)
        env.index = outer
        return found

    return Typed(run, site.source.type)


def _select(site: Site) -> Typed:
    site.takes(1)
    source, projection = site.source.run, site.criterion()

    def run(this: Items, env: Env) -> Items:
        outer = env.index
        found: Items = []
        items = source(this, env)
        env.spend(len(items))
        for place, item in enumerate(items):
            env.index = place
            found += projection.run([item], env)
        env.index = outer
        return found

    return Typed(run, projection.type)


def _repeat(site: Site) -> Typed:
    site.takes(1)
    source, projection = site.source.run, site.criterion()
    further = _further(site, projection)
    # Where steps lead to other and other types, the next one has to look at what it finds.
    same = further.type is not None and further.type == projection.type
    if not same:
        further = site.compile(site.arguments[0], None)

    def run(this: Items, env: Env) -> Items:
        found: Items = []
        level = [i for item in source(this, env) for i in projection.run([item], env)]
        if not same:
            level = as_nodes(level, projection.type)
        while level:
            env.spend(len(level))
            new = _unseen(level, found, env)
            found += new
            level = [i for item in new for i in further.run([item], env)]
        return found

    return Typed(run, projection.type if same else None)


def _further(site: Site, projection: Typed) -> Typed:
    """A further step of `repeat()`: the same path, said of what the first step has found."""
    if projection.type is None or projection.type == site.source.type:
        return projection
    try:
        return site.compile(site.arguments[0], projection.type)
    except PathError:
        # There is no such element further down, which strict compiling says; nothing is found.
        return Typed(projection.run, None)


def _unseen(level: Items, found: Items, env: Env) -> Items:
    seen = {id(plain(item)) for item in found}
    # Objects are told apart by themselves: two alike at different places are both there.
    new: Items = []
    for item in level:
        value = plain(item)
        if type(value) is dict:
            if id(value) not in seen:
                seen.add(id(value))
                new.append(item)
        elif not operators.holds(found, value, env) and not operators.holds(new, value, env):
            new.append(item)
    return new


def _quantifier(answer: Callable[[list[bool | None]], bool]) -> Maker:
    def make(site: Site) -> Typed:
        site.takes(1)
        source, criterion = site.source.run, site.criterion().run

        def run(this: Items, env: Env) -> Items:
            outer = env.index
            held: list[bool | None] = []
            items = source(this, env)
            env.spend(len(items))
            for place, item in enumerate(items):
                env.index = place
                held.append(truth(criterion([item], env), site.name))
            env.index = outer
            return TRUE if answer(held) else FALSE

        return Typed(run, "System.Boolean")

    return make


def _exists(site: Site) -> Typed:
    site.takes(0, 1)
    if site.arguments:
        return _quantifier(any)(site)
    source = site.source.run
    return Typed(lambda this, env: TRUE if source(this, env) else FALSE, "System.Boolean")


def _empty(site: Site) -> Typed:
    site.takes(0)
    source = site.source.run
    return Typed(lambda this, env: FALSE if source(this, env) else TRUE, "System.Boolean")


def _not(site: Site) -> Typed:
    site.takes(0)
    source = site.source.run

    def run(this: Items, env: Env) -> Items:
        held = truth(source(this, env), "not()")
        return [] if held is None else FALSE if held else TRUE

    return Typed(run, "System.Boolean")


def _booleans(answer: Callable[[Items], bool]) -> Maker:
    """`allTrue()` and its like."""

    def make(site: Site) -> Typed:
        site.takes(0)
        source = site.source.run

        def run(this: Items, env: Env) -> Items:
            values = [plain(item) for item in source(this, env)]
            if not all(type(value) is bool for value in values):
                raise PathError(f"{site.name}() takes booleans.")
            return TRUE if answer(values) else FALSE

        return Typed(run, "System.Boolean")

    return make


def _count(site: Site) -> Typed:
    site.takes(0)
    source = site.source.run
    return Typed(lambda this, env: [len(source(this, env))], "System.Integer")


def _is_distinct(site: Site) -> Typed:
    site.takes(0)
    source = site.source.run

    def run(this: Items, env: Env) -> Items:
        items = source(this, env)
        return TRUE if len(operators.distinct(items, env)) == len(items) else FALSE

    return Typed(run, "System.Boolean")


def _part(cut: Callable[[Items, Env], Items]) -> Maker:
    def make(site: Site) -> Typed:
        site.takes(0)
        source = site.source.run
        return Typed(lambda this, env: cut(source(this, env), env), site.source.type)

    return make


def _only(items: Items, _env: Env) -> Items:
    if len(items) > 1:
        raise PathError(f"single() finds {len(items)} items.")
    return items


def _counted(cut: Callable[[Items, int], Items]) -> Maker:
    def make(site: Site) -> Typed:
        site.takes(1)
        source, number = site.source.run, site.value(0)

        def run(this: Items, env: Env) -> Items:
            count = whole_of(number(this, env), f"{site.name}()")
            return [] if count is None else cut(source(this, env), max(0, count))

        return Typed(run, site.source.type)

    return make


def _combined(combine: Callable[[Items, Items, Env], Items]) -> Maker:
    """A function of two collections whose items are those of both."""

    def make(site: Site) -> Typed:
        site.takes(1)
        source, other = site.source, site.compile(site.arguments[0], site.this)
        kind = joined_type(source.type, other.type)

        def run(this: Items, env: Env) -> Items:
            one, two = source.run(this, env), other.run(this, env)
            if kind is None:
                one, two = as_nodes(one, source.type), as_nodes(two, other.type)
            env.spend(len(one) + len(two))
            return combine(one, two, env)

        return Typed(run, kind)

    return make


def _compared(answer: Callable[[Items, Items, Env], bool]) -> Maker:
    def make(site: Site) -> Typed:
        site.takes(1)
        source, other = site.source.run, site.value(0)

        def run(this: Items, env: Env) -> Items:
            return TRUE if answer(source(this, env), other(this, env), env) else FALSE

        return Typed(run, "System.Boolean")

    return make


def _within(one: Items, other: Items, env: Env) -> bool:
    return all(operators.holds(other, plain(item), env) for item in one)


def _common(one: Items, other: Items, env: Env) -> Items:
    return operators.distinct([i for i in one if operators.holds(other, plain(i), env)], env)


def _without(one: Items, other: Items, env: Env) -> Items:
    return [item for item in one if not operators.holds(other, plain(item), env)]


def _union(one: Items, other: Items, env: Env) -> Items:
    return operators.distinct([*one, *other], env)


def _iif(site: Site) -> Typed:
    site.takes(2, 3)
    # Inside, $this is what iif() is called on; so that `name.iif(family.exists(), …)` reads well.
    criterion, yes = site.criterion(0), site.criterion(1)
    no = site.criterion(2) if len(site.arguments) > 2 else None
    kind = yes.type if no is None else joined_type(yes.type, no.type)
    source = site.source.run

    def run(this: Items, env: Env) -> Items:
        focus = source(this, env)
        if truth(criterion.run(focus, env), "iif()"):
            found, of = yes.run(focus, env), yes.type
        elif no is not None:
            found, of = no.run(focus, env), no.type
        else:
            return []
        return found if kind is not None else as_nodes(found, of)

    return Typed(run, kind)


def _aggregate(site: Site) -> Typed:
    site.takes(1, 2)
    source, step = site.source.run, site.criterion(0).run
    initial = site.value(1) if len(site.arguments) > 1 else None

    def run(this: Items, env: Env) -> Items:
        outer, index = env.total, env.index
        env.total = initial(this, env) if initial is not None else []
        for place, item in enumerate(source(this, env)):
            env.index = place
            env.total = step([item], env)
            env.spend(len(env.total) + 1)
        found, env.total, env.index = env.total, outer, index
        return found

    return Typed(run)


def _type(site: Site) -> Typed:
    site.takes(0)
    source, kind = site.source.run, site.source.type

    def run(this: Items, env: Env) -> Items:
        found: Items = []
        for item in source(this, env):
            named = kinds.type_of(item, kind) or "FHIR.Element"
            space, _, name = named.rpartition(".")
            space = space if space == "System" else "FHIR"
            found.append({"namespace": space, "name": name if space == "System" else named})
        return found

    return Typed(run)


def _trace(site: Site) -> Typed:
    site.takes(1, 2)
    return site.source


def _comparable(site: Site) -> Typed:
    site.takes(1)
    source, other = site.source.run, site.value(0)

    def run(this: Items, env: Env) -> Items:
        one = single(source(this, env), "comparable()")
        two = single(other(this, env), "comparable()")
        if one is None or two is None:
            return []
        from_measures = quantities.compare(one, two)
        return FALSE if from_measures is None else TRUE

    return Typed(run, "System.Boolean")


FUNCTIONS: Final[dict[str, Maker]] = {
    "aggregate": _aggregate,
    "all": _quantifier(all),
    "allFalse": _booleans(lambda values: not any(values)),
    "allTrue": _booleans(all),
    "anyFalse": _booleans(lambda values: not all(values)),
    "anyTrue": _booleans(any),
    "combine": _combined(lambda one, other, _env: [*one, *other]),
    "comparable": _comparable,
    "count": _count,
    "distinct": _part(operators.distinct),
    "empty": _empty,
    "exclude": _combined(_without),
    "exists": _exists,
    "first": _part(lambda items, _env: items[:1]),
    "iif": _iif,
    "intersect": _combined(_common),
    "isDistinct": _is_distinct,
    "last": _part(lambda items, _env: items[-1:]),
    "not": _not,
    "repeat": _repeat,
    "select": _select,
    "single": _part(_only),
    "skip": _counted(lambda items, count: items[count:]),
    "subsetOf": _compared(_within),
    "supersetOf": _compared(lambda one, other, env: _within(other, one, env)),
    "tail": _part(lambda items, _env: items[1:]),
    "take": _counted(lambda items, count: items[:count]),
    "trace": _trace,
    "type": _type,
    "union": _combined(_union),
    "where": _where,
}
