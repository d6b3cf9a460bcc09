"""Makes the read model of staff anew for a record that was filled before there was one."""

from __future__ import annotations

from typing import Final

from helsevev.access.administration.keeping import SQL
from helsevev.access.staff_standing import PROJECTION
from helsevev.record import keys
from helsevev.record.rows import build
from helsevev.record.store import Store, Stored

_STEP: Final = 500


async def fill_standing(store: Store) -> None:
    """Read all of each type once, unless one of it is known already."""
    async with store.roles.whole.transaction() as connection:
        await connection.execute(SQL["fill_turn"])
        for kind in sorted(PROJECTION.sources):
            if await connection.fetchval(SQL["is_filled"], kind):
                continue
            after = ""
            while rows := await connection.fetch(
                SQL["of_type"], [keys.REFERENCE], kind, _STEP, after
            ):
                found = [Stored(*row) for row in rows]
                after = found[-1].id
                made = [build(each.resource, each.version, each.patient) for each in found]
                await store.project(connection, made, anew=True)
