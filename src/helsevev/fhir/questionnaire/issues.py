"""What there is to say of an answer that is not as it should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STOPS: Final = frozenset({
    "required", "too-low", "too-high", "too-long", "too-short", "pattern", "decimals", "option",
    "type", "too-many", "too-few", "exclusive", "constraint", "media", "too-large", "stranger",
})  # fmt: skip
"""Kinds that stand in the way of signing. The others are said, and a person decides."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing: what `kind`, of which item, at which place, and what more there is to say.

    `detail` is the limit that was passed, the form's own words, or why it could not be worked out.
    """

    kind: str
    link_id: str
    key: str
    detail: str

    @property
    def stops(self) -> bool:
        """Whether it stands in the way of signing."""
        return self.kind in STOPS
