"""`helsevev interactions`: load a list, stop and start the base, and work out the cases."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Final

import uvloop

from helsevev.access.knowledge_base import KnowledgeBase
from helsevev.advice.rule_statistics import case_counts
from helsevev.decision_support.knowledge import BadList, decoded, encoded, included
from helsevev.decision_support.open_list import read_open_list
from helsevev.kit.chapter import Command, CommandContext


def _add_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION", help="what to do with the knowledge base"
    )
    load = actions.add_parser("load", help="put the open list (ANSM, WorldVista) in use")
    load.add_argument("folder", type=Path, metavar="FOLDER", help="where its three files lie")
    actions.add_parser("unload", help="put the list that comes with the program in use again")
    stop = actions.add_parser("stop", help="stop the base: orders are marked as unchecked")
    stop.add_argument("because", metavar="BECAUSE", help="why, in words for the banner")
    actions.add_parser("start", help="start the base again")
    actions.add_parser("status", help="say which list is in use, and whether the base is stopped")
    actions.add_parser("cases", help="work out the cases, and count the cards of each rule")


def _run(context: CommandContext, arguments: Namespace) -> int:
    if arguments.action == "cases":
        return _cases()
    try:
        return uvloop.run(_do(context, arguments))
    except BadList as problem:
        sys.stderr.write(f"helsevev interactions: {problem}\n")
        return 1


async def _do(context: CommandContext, arguments: Namespace) -> int:
    loaded = read_open_list(arguments.folder) if arguments.action == "load" else None
    async with context.services() as services:
        base: KnowledgeBase = services.knowledge_base
        if loaded is not None:
            await base.load(encoded(loaded.list))
            without = f"{loaded.left_out} of {loaded.rows} rows left out: no ATC code"
            _say(f"{without}, or a severity nobody knows.")
        elif arguments.action == "unload":
            await base.load(None)
        elif arguments.action in ("stop", "start"):
            await base.stop(arguments.because.strip() if arguments.action == "stop" else "")
        state = await base.state()
        body = await base.body(state)
        kept = included() if body is None else decoded(body)
        _say(f"{kept.name} {kept.version}: {len(kept.rules)} interactions.")
        if state.stopped_because:
            _say(f"Stopped: {state.stopped_because}")
    return 0


def _cases() -> int:
    counts = case_counts()
    for rule, cards in sorted(counts.of_rule.items()):
        _say(f"{cards:5} {rule}")
    _say(
        f"{counts.cases} cases, {counts.as_expected} as expected, "
        f"{counts.without_cards} without cards."
    )
    return 0 if counts.as_expected == counts.cases else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


INTERACTIONS: Final = Command(
    "interactions", "load and tend what decision support knows of interactions",
    _add_arguments, _run,
)  # fmt: skip
