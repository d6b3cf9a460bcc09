"""The packs' part of the reference page of content: what each holds, with cases and sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from helsevev.content.packs.kinds import KINDS
from helsevev.content.packs.shelf import built_in

_Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]


def packs(table: _Table) -> str:
    """Every pack that comes with the program, and every item of it."""
    held = built_in()
    counts = [
        (pack.about.title, f"`{pack.key}`", pack.about.owner, pack.about.version,
         *(str(len(pack.items.get(folder, {})) or "") for folder in KINDS))
        for pack in held
    ]  # fmt: skip
    parts = [
        "## Packs",
        (
            "Each lies in `src/helsevev/content/disciplines/`. What was released in a running "
            "system goes before what comes with the program: `helsevev content list`."
        ),
        table(("pack", "folder", "owner", "edition", *KINDS), counts),
    ]
    for pack in held:
        rows = [
            (f"`{folder}/{key}`", item.title, item.version, item.status, str(len(item.cases())),
             "; ".join(item.source))
            for folder, key, item in pack.every()
        ]  # fmt: skip
        head = ("item", "title", "version", "status", "cases", "source")
        parts += [f"### {pack.about.title}", table(head, sorted(rows))]
    return "\n\n".join(parts)
