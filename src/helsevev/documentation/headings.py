"""A note written as one text with headings, and kept as sections: "Plan:" on a line of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from helsevev.documentation.narrative import clean

Stretch = tuple[str, str]
"""(heading, text); the heading is "" for what stands before the first one."""


def split(plain: str, headings: Iterable[str]) -> list[Stretch]:
    """The text by its headings, in order; stretches without text are left out.

    A heading is a line that is one of `headings` followed by a colon, in any case.
    """
    known = {heading.casefold(): heading for heading in headings if heading}
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in clean(plain).split("\n"):
        bare = line.strip()
        heading = known.get(bare[:-1].strip().casefold()) if bare.endswith(":") else None
        if heading is None:
            found[-1][1].append(line)
        else:
            found.append((heading, []))
    stretches = [(heading, clean("\n".join(lines))) for heading, lines in found]
    return [(heading, text) for heading, text in stretches if text]


def joined(stretches: Sequence[Stretch]) -> str:
    """The stretches as one text, which `split` takes apart again."""
    return "\n\n".join(f"{heading}:\n{text}" if heading else text for heading, text in stretches)


def opening(headings: Iterable[str]) -> str:
    """What an empty note opens with: each heading with room below it."""
    return "\n\n".join(f"{heading}:\n" for heading in headings)
