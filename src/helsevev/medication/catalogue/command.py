"""`helsevev medicines`: load the medicine register, look in it, learn how it is used."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Final

import uvloop

from helsevev.access.actor import SYSTEM
from helsevev.access.medicines import WouldWithdraw
from helsevev.access.services import Services
from helsevev.kit.chapter import Command, CommandContext
from helsevev.kit.progress import Bar
from helsevev.medication.catalogue.loading import Loaded, load_fest
from helsevev.medication.catalogue.look_up import MOST_FOUND, catalogue_of
from helsevev.medication.catalogue.sentences import Learner
from helsevev.terminology.shapes import BadDistribution


def _add_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION", help="what to do with the catalogue"
    )
    load = actions.add_parser("load", help="load FEST (M30), whole or not at all")
    load.add_argument("path", type=Path, metavar="FILE", help="XML, or an archive with it")
    load.add_argument(
        "--even-so", action="store_true",
        help="load it although most products in use are missing from it",
    )  # fmt: skip
    find = actions.add_parser("find", help="look a medicine up as one types")
    find.add_argument("text", help="a trade name, a substance or an ATC code, or how they begin")
    find.add_argument("--limit", type=int, default=10, help=f"at most so many, up to {MOST_FOUND}")
    actions.add_parser("list", help="say which catalogue is here and what is in it")
    actions.add_parser("learn", help="count how medicines are ordered here, for order sentences")


def _run(context: CommandContext, arguments: Namespace) -> int:
    try:
        return uvloop.run(_do(context, arguments))
    except (BadDistribution, WouldWithdraw) as problem:
        sys.stderr.write(f"helsevev medicines: {problem}\n")
        if isinstance(problem, WouldWithdraw):
            sys.stderr.write("Is it the whole register? --even-so loads it all the same.\n")
        return 1


async def _do(context: CommandContext, arguments: Namespace) -> int:
    async with context.services() as services:
        if arguments.action == "load":
            return await _load(services, arguments)
        if arguments.action == "find":
            return await _find(services, arguments)
        if arguments.action == "learn":
            return await _learn(services)
        return await _list(services)


async def _load(services: Services, arguments: Namespace) -> int:
    begun = time.perf_counter()
    with Bar() as bar:
        loaded = await load_fest(services, arguments.path, bar.show, even_so=arguments.even_so)
    if loaded.unchanged and not loaded.written:
        sys.stdout.write(f"FEST {loaded.version} is here already.\n")
        return 0
    sys.stdout.write(f"FEST {loaded.version}\n")
    _tell(loaded)
    seconds = time.perf_counter() - begun
    sys.stdout.write(f"{loaded.written} resources written, in {seconds:.1f} s\n")
    return 0


def _tell(loaded: Loaded) -> None:
    for kind, count, withdrawn in loaded.contents:
        gone = f", {withdrawn} of them withdrawn" if withdrawn else ""
        sys.stdout.write(f"{kind}: {count}{gone}\n")


async def _find(services: Services, arguments: Namespace) -> int:
    found = await catalogue_of(services).find(arguments.text, arguments.limit)
    for each in found:
        line = (each.id, each.atc, each.name, each.substance)
        sys.stdout.write("\t".join(line) + "\n")
    if not found:
        sys.stderr.write("Nothing is called so.\n")
    return 0 if found else 1


async def _list(services: Services) -> int:
    release = await services.medicines.release()
    if release is None:
        sys.stderr.write("There is no catalogue yet: `helsevev medicines load FILE`.\n")
        return 1
    sys.stdout.write(f"{release.source} {release.version}, loaded {release.loaded_at:%Y-%m-%d}\n")
    contents = await services.medicines.contents(release.id)
    _tell(Loaded(release.version, contents, 0, unchanged=True))
    if release.learned_at is not None:
        sys.stdout.write(f"order sentences learned {release.learned_at:%Y-%m-%d}\n")
    if not release.is_written:
        sys.stdout.write("not all products are in the record yet: load the file again\n")
    return 0


async def learn(services: Services) -> tuple[int, int]:
    """Count how the catalogue's products are ordered; gives (orders counted, sentences kept).

    It is the program that reads, of everybody, and leaves one trace. Nothing else is kept.
    """
    release = await services.medicines.release()
    if release is None:
        return 0, 0
    await services.gate.trace_nothing(SYSTEM, "learn-order-sentences", "MedicationRequest")
    products = [
        entry.id
        async for page in services.medicines.all_of(release.id, "product")
        for entry in page
    ]
    learner = Learner(products)
    async for some in services.medicines.orders():
        for stored in some:
            learner.see(stored.patient, stored.resource)
    return learner.orders, await services.medicines.learn(learner.counted())


async def _learn(services: Services) -> int:
    orders, kept = await learn(services)
    sys.stdout.write(f"{kept} order sentences learned from {orders} orders\n")
    return 0


MEDICINES: Final = Command(
    "medicines", "load the medicine register and look in it", _add_arguments, _run
)
