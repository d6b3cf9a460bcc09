"""Writes docs/reference from the code: what a reader can look up cannot lag behind it.

Usage: python -m tools.write_reference [--check]
  Writes each page anew. --check writes nothing; exit status 1 when a page is not as the code is.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import timedelta
from inspect import getdoc
from itertools import product
from pathlib import Path
from typing import Any

from tools.content_page import packs
from tools.described_settings import SETTINGS
from tools.forms_page import forms
from tools.reference_sources import constants_named, settings_read, tables_of
from tools.security_page import security

from helsevev import main
from helsevev.access import policy
from helsevev.access.actor import Actor
from helsevev.access.permit import EMERGENCY, HOLDS
from helsevev.access.session import SHIFT
from helsevev.content import loading
from helsevev.fhir import patch
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.search_parameters import LEFT_OUT, PARAMETERS
from helsevev.fhir_api import request, routing
from helsevev.kit import clock
from helsevev.kit.settings import Settings

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "src" / "helsevev"
FOLDER = REPOSITORY / "docs" / "reference"
_MADE = "Made by `python -m tools.write_reference`; a test fails when it is not as the code is."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
                     for row in lines)  # fmt: skip


def _first_sentence(thing: Any) -> str:
    return " ".join((getdoc(thing) or "").split("\n\n")[0].split())


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def settings() -> str:
    """Every environment variable, what it decides, and its default."""
    read = settings_read(PACKAGE / "kit" / "settings.py")
    if missing := read ^ SETTINGS.keys():
        raise SystemExit(
            f"write_reference.py: describe {', '.join(sorted(missing))} in described_settings.py"
        )
    defaults: dict[str, Any] = {field.name: field.default for field in fields(Settings)}
    shown = {
        "HELSEVEV_DATA": "./data",
        "PORT": str(defaults["port"]),
        "HELSEVEV_LOCK_AFTER": str(defaults["lock_after"] // timedelta(minutes=1)),
    }
    rows = []
    for name, meaning in SETTINGS.items():
        default = shown.get(name, defaults.get(name.removeprefix("HELSEVEV_").lower()))
        rows.append((f"`{name}`", meaning, f"`{default}`" if default not in (None, False) else ""))
    return f"""# Settings

All settings are environment variables, read once at the start. A value that cannot be used stops
the command with a line that names it.

{_table(("variable", "meaning", "default"), rows)}

With `make`, `PORT=` and `DATA=` set the first and the port: `make demo PORT=8080 DATA=/srv/demo`.
`SCALE=` is how large a region the demo has; `SCALE=0` is the stories alone.
"""


def commands() -> str:
    """Every word of the command line with its arguments."""
    parts = []
    for name, summary, word in _words(main._arguments(), "helsevev"):
        rows = [_argument(a) for a in word._actions if a.dest != "help"]
        usage = " ".join(word.format_usage().removeprefix("usage: ").split())
        table = _table(("argument", "meaning"), rows) if rows else "No arguments."
        told = f"{summary[:1].upper()}{summary[1:].rstrip('.')}."
        parts.append(f"## {name}\n\n{told}\n\n```text\n{usage}\n```\n\n{table}")
    return f"""# Commands

The program is `.venv/bin/helsevev`; `make` puts it there. Every command works on the record that
the [settings](settings.md) name, and may run while a server does, except `region keep` and
`region reset`.

Exit status: 0 when it was done, 1 when it was not (a line on standard error says why), 2 for
arguments that make no sense, 130 after Ctrl-C.

{chr(10).join(part + chr(10) for part in parts).rstrip()}
"""


def _words(
    parser: argparse.ArgumentParser, before: str
) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Every word of the command line, what it does, and how; then those that may follow it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {each.dest: each.help or "" for each in action._choices_actions}
            for name, word in action.choices.items():
                yield f"{before} {name}", helps[name], word
                yield from _words(word, f"{before} {name}")


def _argument(action: argparse.Action) -> tuple[str, str]:
    value = str(action.metavar or action.dest.upper())
    name = ", ".join(action.option_strings)
    told = value if not name else name if action.nargs == 0 else f"{name} {value}"
    return f"`{told}`", (action.help or "").replace("%%", "%")


def pages() -> str:
    """Every page and fragment with the decision it declares."""
    parts = []
    for chapter in main.CHAPTERS:
        rows = sorted(
            (f"`{path}`", method, str(route.opt["decision"]), _first_sentence(route.fn))
            for route in chapter.routes
            for path in route.paths
            for method in sorted(route.http_methods)
            if method not in ("HEAD", "OPTIONS")
        )
        if rows:
            table = _table(("path", "method", "decision", "what it answers"), rows)
            parts.append(f"## {chapter.name}\n\n{table}")
    return f"""# Pages

Every route says who may use it; a route without a decision fails the build.

- *public*: everybody.
- *signed-in*: whoever has a session; others are sent to sign in.
- *record*: whoever has a session, and the handler opens a record through the gate, which decides.

`/fhir` asks for a bearer token itself: see [the FHIR API](fhir-api.md). `/healthz` answers `ok`
to everybody when the server and its database work.

{chr(10).join(part + chr(10) for part in parts).rstrip()}
"""


def chapters() -> str:
    """Every chapter, the types it owns and what else it declares."""
    rows = []
    for chapter in main.CHAPTERS:
        module = sys.modules[f"helsevev.{chapter.name}"]
        rows.append((
            f"`{chapter.name}`", _first_sentence(module), _code(chapter.owns),
            _code(chapter.rules), _code(p.table for p in chapter.projections),
            str(len(chapter.routes)), _code(c.name for c in chapter.commands),
        ))  # fmt: skip
    head = ("chapter", "what it is", "owns", "rules", "read models", "pages", "commands")
    return f"""# Chapters

The list in `src/helsevev/main.py` is the list of features. A resource type has one owner, where
its clinical rule lives; a type without an owner is kept, found and validated all the same.

{_table(head, rows)}
"""


def fhir_api() -> str:
    """Every interaction of the API, its limits and what it leaves out."""
    rows = [
        (f"`{method} /fhir/{path}`".replace("/`", "`"), interaction.code,
         "conditional" if interaction.conditional else "", "no" if interaction.public else "yes")
        for path, methods in routing.ROUTES.items()
        for method, interaction in methods.items()
    ]  # fmt: skip
    limits = [
        ("query in a URL", f"{request.LONGEST_QUERY // 1024} KiB"),
        ("form of a search by POST", f"{request.LONGEST_FORM // 1024} KiB"),
        ("parameters", str(request.MOST_PARAMETERS)),
        ("one resource", f"{request.LARGEST_RESOURCE >> 20} MiB"),
        ("a Bundle", f"{request.LARGEST_BUNDLE >> 20} MiB"),
    ]
    return f"""# FHIR API

FHIR R4 (4.0.1), JSON, at `/fhir`, for all {len(PARAMETERS)} resource types. `GET /fhir/metadata`
gives the CapabilityStatement, made from the same table as this page. How to use it:
[use the FHIR API](../how-to/use-the-fhir-api.md).

## Interactions

{_table(("request", "interaction", "", "needs a token"), rows)}

`POST /fhir` takes a Bundle of type `transaction` or `batch`. `HEAD` works where `GET` does.
`PATCH` takes {_code(patch.FORMATS)} (Parameters).
`Patient/[id]/*` is every type of the compartment.

## Limits

{_table(("what", "most"), limits)}

## Search parameters

[All of R4's](search-parameters.md) but {_code(LEFT_OUT)}.
"""


_KINDS = ("token", "reference", "string", "date", "quantity", "number", "uri", "composite",
          "special")  # fmt: skip


def search_parameters() -> str:
    """Every search parameter, by resource type and kind."""
    shared = set.intersection(*(set(found) for found in PARAMETERS.values()))
    used = [k for k in _KINDS if any(p.kind == k for f in PARAMETERS.values() for p in f.values())]
    rows = []
    for kind in sorted(PARAMETERS):
        own = [p for p in PARAMETERS[kind].values() if p.name not in shared]
        told = (f"*{k}* " + ", ".join(p.name for p in own if p.kind == k)
                for k in used if any(p.kind == k for p in own))  # fmt: skip
        rows.append((f"`{kind}`", " · ".join(told)))
    left = [(f"`{name}`", reason) for name, reason in LEFT_OUT.items()]
    return f"""# Search parameters

Every type has {_code(sorted(shared))}, and the ones below, by kind. More can be
[added while the record runs](../how-to/search.md#your-own-search-parameters).

{_table(("type", "parameters"), rows)}

## Left out

{_table(("parameter", "why"), left)}
"""


def database() -> str:
    """Every table, what it is for, and its columns."""
    parts = []
    for table in tables_of(PACKAGE / "record"):
        rows = [(f"`{name}`", kind) for name, kind in table.columns]
        about = f"{table.about}\n\n" if table.about else ""
        key = f"Key: `{table.key}`.\n\n" if table.key else ""
        parts.append(f"## {table.name}\n\n{about}{key}{_table(('column', 'type'), rows)}")
    return f"""# Database

The tables as the migrations in `src/helsevev/record/migrations` make them. `patient` is the
inhabitant's key: 0 for reference data, -1 for clinical data about no inhabitant of this record.
Why it looks like this: [decision 4](../decisions/0004-record-layout.md),
[5](../decisions/0005-ids-and-the-inhabitants-key.md) and
[6](../decisions/0006-change-feed-and-audit-trail.md).

{chr(10).join(part + chr(10) for part in parts).rstrip()}
"""


def access() -> str:
    """The policy's decisions, worked out by asking it, and the words of the audit trail."""
    own = constants_named(PACKAGE, "action")
    interactions = constants_named(PACKAGE, "interaction")
    interactions |= {i.code for methods in routing.ROUTES.values() for i in methods.values()}
    return f"""# Access and audit

## Who may read and write

Worked out by asking `access/policy.py` every case. *Clinician*:
{_code(sorted(policy.CLINICIANS))}.
*Relation*: a CareTeam, EpisodeOfCare, Encounter, Appointment, ServiceRequest or Task of the
inhabitant names the person, their unit or an organisation above it. *Emergency*: the glass was
broken at most {EMERGENCY.seconds // 3600} hours ago.

{_table(("who asks", "about", "read", "write"), _decisions())}

A clinician without a relation is offered to break the glass; nobody else is. Facts are used again
for {HOLDS.seconds} seconds. A session lasts {SHIFT.seconds // 3600} hours.

A clinician writes every type but `AuditEvent` and `Consent`. A secretary writes
{_code(sorted(t for t in RESOURCE_TYPES if policy.may_write("secretary", t)))}.

## The audit trail

One row in [audit_event](database.md#audit_event) for each touch. `outcome` is 0, or 8 for a
refusal. `action` is one of {_code(sorted(own))}. `interaction` says through which door:
{_code(sorted(interactions))}.
"""


def _decisions() -> list[tuple[str, str, str, str]]:
    def actor(kind: Any, profession: str = "") -> Actor:
        return Actor(kind=kind, id="x", name="", profession=profession, role="")

    who = {
        "clinician": actor("practitioner", "nurse"),
        "secretary": actor("practitioner", "secretary"),
        "another profession": actor("practitioner", "other"),
        "inhabitant": actor("inhabitant"),
        "system": actor("system"),
    }
    about = {
        "an inhabitant, with a relation": policy.Facts("inhabitant", related=True),
        "an inhabitant, in an emergency": policy.Facts("inhabitant", emergency_until=clock.now()),
        "an inhabitant, else": policy.Facts("inhabitant"),
        "their own record": policy.Facts("inhabitant", own=True),
        "reference data": policy.Facts("reference"),
        "clinical data about nobody here": policy.Facts("unassigned"),
    }
    rows: list[tuple[str, str, str, str]] = []
    for (name, asking), (case, facts) in product(who.items(), about.items()):
        if case == "their own record" and name != "inhabitant":
            continue
        if name == "inhabitant" and case in list(about)[:2]:
            continue
        kind = "Task" if name == "secretary" else "Observation"
        read = policy.decide(asking, "read", facts, kind)
        write = policy.decide(asking, "write", facts, kind)
        rows.append((name, case, _said(read), _said(write)))
    return rows


def _said(decision: policy.Decision) -> str:
    return "yes" if decision.allowed else f"no: {decision.reason}"


def content() -> str:
    """Every file of professional content, its owner and edition."""
    rows = []
    for name, shape in loading.FILES.items():
        document: Any = loading._load(name, shape)
        rows.append((
            f"`{name}`", document.title, document.owner, document.version, document.status,
            "; ".join(document.source),
        ))  # fmt: skip
    head = ("file", "title", "owner", "version", "status", "source")
    return f"""# Professional content

Owned by professional groups, and checked when it is read. `draft` until the group has approved it.
How to change or add some: [add content](../how-to/add-content.md).

{packs(_table)}

## Files that are part of the program

Under `src/helsevev/content/`.

{_table(head, rows)}
"""


PAGES: dict[str, Callable[[], str]] = {
    "settings": settings, "commands": commands, "pages": pages, "chapters": chapters,
    "fhir-api": fhir_api, "search-parameters": search_parameters, "database": database,
    "access": access, "content": content, "security": lambda: security(_table),
    "forms": lambda: forms(_table),
}  # fmt: skip


def written(name: str) -> str:
    """The page's text."""
    title, rest = PAGES[name]().split("\n\n", 1)
    text = f"{title}\n\n*{_MADE}*\n\n{rest}"
    return re.sub(r"[ \t]+\n", "\n", text).rstrip() + "\n"


def lagging() -> list[str]:
    """The names of pages that are not as the code is."""
    return [
        name
        for name in PAGES
        if not (path := FOLDER / f"{name}.md").exists() or path.read_text("utf-8") != written(name)
    ]


def run(arguments: Sequence[str]) -> int:
    """Write the pages, or compare them; the exit status."""
    behind = lagging()
    if "--check" in arguments:
        for name in behind:
            sys.stderr.write(
                f"docs/reference/{name}.md lags: run python -m tools.write_reference\n"
            )
        return 1 if behind else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in behind:
        (FOLDER / f"{name}.md").write_text(written(name), "utf-8")
        sys.stdout.write(f"docs/reference/{name}.md\n")
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
