"""What was typed in a flowsheet and not signed: kept for who typed it, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.observation.flowsheet.form import Sent
from helsevev.observation.flowsheet.opening import OpenSheet

KIND: Final = "flowsheet"


async def keep(services: Services, permit: Permit, key: str, sent: Sequence[Sent]) -> None:
    """Keep the columns that have a time; the last window to save is the one that is kept."""
    columns = {
        each.at.isoformat(): {"cells": dict(each.cells), "before": dict(each.before)}
        for each in sent
        if each.at is not None
    }
    if not columns:
        await services.drafts.discard(permit, KIND, key)
        return
    await services.drafts.keep(permit, KIND, key, {"columns": columns, "text": ""})


async def kept(services: Services, opened: OpenSheet) -> list[Sent]:
    """The columns that were kept, as if they had been sent."""
    draft = await services.drafts.one(opened.opened.permit, KIND, opened.sheet.content.key)
    if draft is None:
        return []
    window = opened.grid.window
    found = []
    for number, (said, column) in enumerate(sorted(draft.content.get("columns", {}).items())):
        at = datetime.fromisoformat(said)
        if window.start <= at <= window.end:
            found.append(Sent(number, at, column.get("cells", {}), column.get("before", {})))
    return found


async def forget(services: Services, opened: OpenSheet) -> None:
    """What was kept is signed."""
    await services.drafts.discard(opened.opened.permit, KIND, opened.sheet.content.key)
