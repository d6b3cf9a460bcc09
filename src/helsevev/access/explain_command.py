"""`helsevev access`: why somebody may or may not open a record, and who can do what."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace

from helsevev.access import demo
from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.administration.effective import command as effective
from helsevev.access.explaining import ACTIONS, Explanation, explain
from helsevev.access.services import Services
from helsevev.access.staff import actor_of_role
from helsevev.kit.chapter import Command, CommandContext
from helsevev.record.keys import patient_key


def _add_arguments(parser: ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", help="what to do")
    one = verbs.add_parser("explain", help="say what would be decided, by which rule and why")
    one.add_argument(
        "--actor", required=True, metavar="WHO",
        help="a persona of the demo, a PractitionerRole's id, Patient/ID, or 'system'",
    )  # fmt: skip
    one.add_argument("--patient", required=True, metavar="ID", help="the Patient's id")
    one.add_argument("--action", choices=ACTIONS, default="read", help="default: read")
    one.add_argument("--type", default="", metavar="TYPE", help="of the entry that is written")
    one.add_argument("--resource", default="", metavar="TYPE/ID", help="one entry of the record")
    one.add_argument(
        "--acting", default="", metavar="KIND", choices=("parent", "power-of-attorney", "guardian"),
        help="an inhabitant acts for the patient, as this",
    )  # fmt: skip
    effective.add_arguments(verbs)


def _run(context: CommandContext, arguments: Namespace) -> int:
    if arguments.verb == "effective":
        return effective.run(context, arguments)
    entry = tuple(arguments.resource.split("/"))
    if arguments.resource and len(entry) != 2:
        return _complain("--resource is a type and an id, as in Condition/17")
    found = asyncio.run(_explained(context, arguments))
    if found is None:
        return _complain(f"there is no {arguments.actor!r}: a persona, a role's id or Patient/ID")
    sys.stdout.writelines(f"{line}\n" for line in found.lines())
    return 0 if found.decision.allowed else 1


def _complain(text: str) -> int:
    sys.stderr.write(f"helsevev access: {text}\n")
    return 2


async def _explained(context: CommandContext, arguments: Namespace) -> Explanation | None:
    async with context.services() as services:
        actor = await _actor(services, arguments)
        if actor is None:
            return None
        kind, _, name = arguments.resource.partition("/")
        return await explain(
            services.gate, actor, arguments.patient, arguments.action, arguments.type,
            (kind, name) if name else None,
        )  # fmt: skip


async def _actor(services: Services, arguments: Namespace) -> Actor | None:
    who: str = arguments.actor
    if who == "system":
        return SYSTEM
    if who in (personas := demo.personas()):
        return personas[who]
    if who.startswith("Patient/"):
        same = patient_key(who[8:]) == patient_key(arguments.patient)
        acts = not same and arguments.acting != ""
        return Actor(
            "inhabitant", who, who, "", "inhabitant", acting=arguments.acting if acts else "",
            patient=f"Patient/{arguments.patient}" if acts or same else who,
        )  # fmt: skip
    return await actor_of_role(services.gate.store, who)


ACCESS = Command("access", "say who may see what, and why", _add_arguments, _run)
