"""A document's commands: fenced sh blocks, run in one shell, each with what it must print."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "@@ block"


@dataclass(frozen=True, slots=True)
class Block:
    """Commands, and the lines that follow them under ```text: parts of the output, in order."""

    commands: str
    printed: tuple[str, ...]


def blocks(markdown: str) -> Iterator[Block]:
    """Every fenced sh block of a document."""
    fences = list(_FENCE.finditer(markdown))
    for number, fence in enumerate(fences):
        if fence[1] != "sh":
            continue
        after = fences[number + 1] if number + 1 < len(fences) else None
        near = after is not None and not markdown[fence.end() : after.start()].strip()
        told = after[2] if after is not None and near and after[1] == "text" else ""
        yield Block(fence[2], tuple(told.split("\n")[:-1]))


def run(
    documents: list[Block], folder: Path, replaced: Mapping[str, str], seconds: float = 50
) -> list[str]:
    """Run the blocks one after another in one shell; what each printed.

    `replaced` are texts of the document that are others in a test: an address, a port. Fails with
    all that was printed when a command fails.
    """
    script = "set -euo pipefail\n"
    for block in documents:
        script += f"{block.commands}\necho '{_MARK}'\n"
    for written, real in replaced.items():
        script = script.replace(written, real)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HELSEVEV_")}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    printed = done.stdout.split(f"{_MARK}\n")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    for written, real in replaced.items():
        printed = [text.replace(real, written) for text in printed]
    return printed[:-1]


def compare(block: Block, printed: str) -> None:
    """Every line that the document tells of is printed, in its order."""
    place = 0
    for line in block.printed:
        found = printed.find(line, place)
        assert found >= 0, (
            f"The document tells of {line!r} after\n{block.commands}\nbut:\n{printed}"
        )
        place = found + len(line)
