"""Pages in the order of the texts that were searched for: only what is on a page is read.

A common name has thousands of bearers. The index of texts knows their order, so that a page of ten
costs what ten cost, however many there are and however far on the page is.
"""

from __future__ import annotations

from typing import Final

from helsevev.record.search_order import Key, after
from helsevev.record.search_values import Arguments
from helsevev.record.search_where import Walk

ORDER: Final = (
    Key("s.value", "text", descending=False),
    Key("s.patient", "bigint", descending=False),
    Key("s.id", "text", descending=False),
)


def statement(walk: Walk, arguments: Arguments, cursor: str | None, limit: int) -> str:
    """The statement for the page after the cursor. Raises `SearchError` for a forged one.

    Who has several texts that fit comes with the first of them.
    """
    # Another's text is looked up by resource: by its value all who share it would be gone through.
    others = walk.texts.rows.replace("s.value", "(s.value || '')")
    beyond = f" AND {after(cursor, ORDER, arguments)}" if cursor else ""
    return (
        "SELECT r.patient, r.type, r.id, r.version, r.last_updated, false AS deleted, r.body,"
        f" k.value, k.patient, k.id FROM (SELECT DISTINCT s.value, s.patient, s.id"
        f" FROM {walk.texts.rows}{beyond}) AS k"
        f" JOIN resource r ON r.patient = k.patient AND r.id = k.id WHERE {walk.rest}"
        f" AND NOT EXISTS (SELECT FROM {others}"
        " AND s.patient = k.patient AND s.id = k.id AND (s.value || '') < k.value)"
        f" ORDER BY k.value, k.patient, k.id LIMIT {limit}"
    )
