"""Common values: rows name their combination of them, and some combinations are rare.

`status=final` finds nearly everything, `status=cancelled` next to nothing. What several conditions
ask for at once is looked for among the combinations, which are few; and an index has the rows of
each, so that what is rare is found first and ordered then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from helsevev.record.search_cost import Costs
from helsevev.record.search_values import Arguments

FEW: Final = 2000
"""Resources that are rather found first and ordered then."""

_MOST_REMEMBERED: Final = 2000

Held = Sequence[Sequence[int]]
"""Of each condition the values (hashes) of which a row has to hold one."""


def holding_all(held: Held, arguments: Arguments) -> str:
    """The condition that the combination of row `r` has one of each."""
    return f"r.token_set = ANY (ARRAY({_combinations(held, arguments)}))"


class Rarity:
    """Tells whether few rows of a type hold what is asked for.

    What many hold is remembered, so that common searches ask nothing more.
    """

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        self._common: dict[tuple[str, frozenset[tuple[int, ...]]], None] = {}

    async def few(self, kind: str, held: Held) -> list[int] | None:
        """The combinations with one of each, when at most `FEW` resources of the type have them."""
        asked = kind, frozenset(map(tuple, held))
        if asked in self._common:
            return None
        arguments = Arguments()
        type_, combinations = arguments.add(kind, "resource_type"), _combinations(held, arguments)
        statement = (
            f"WITH held AS MATERIALIZED (SELECT ARRAY({combinations}) AS ids)"
            " SELECT ids, (SELECT count(*) FROM (SELECT FROM resource r"
            f" WHERE r.type = {type_} AND r.token_set = ANY (ids) LIMIT {FEW + 1}) AS s) FROM held"
        )
        found = await self._costs.glance(statement, arguments.values)
        if found is not None and found[0][1] <= FEW:
            return list(found[0][0])
        if len(self._common) >= _MOST_REMEMBERED:
            del self._common[next(iter(self._common))]
        self._common[asked] = None
        return None


def _combinations(held: Held, arguments: Arguments) -> str:
    asked = [f"t.tokens && {arguments.add(list(hashes), 'bigint[]')}" for hashes in held]
    return f"SELECT t.id FROM token_set t WHERE {' AND '.join(asked)}"
