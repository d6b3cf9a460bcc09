"""What a chapter declares: the resource types it owns, its routes, commands and rules."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from helsevev.kit.background import Background
from helsevev.kit.projection import Projection
from helsevev.kit.settings import Settings

Rule = Callable[[dict[str, Any]], Sequence[Any]]
"""check(resource) -> the issues found, none when the resource may be written. Pure."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What a rule looks at besides the resource: versions of another, and others of its own type.

    `versions_of` is (type, id); `since` the earliest clinical date of the others, None for all of
    them. The rule holds for one writer at a time on what `versions_of` names, or on `turn` of the
    inhabitant where that is said.
    """

    versions_of: tuple[str, str]
    since: datetime | None
    turn: str = ""


@dataclass(frozen=True, slots=True)
class Around:
    """What stood in the inhabitant's record when the rule looked.

    `versions` are (since when it stood, resource; empty for a deletion), the oldest first. Of the
    `others`, the resource itself is left out; what is written together with it is among them.
    """

    versions: Sequence[tuple[datetime, dict[str, Any]]]
    others: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RuleBeside:
    """A rule that holds between a resource and others of the same inhabitant.

    `wants` says what to look at (None: the rule is not about this resource), `check` gives the
    issues found. Both are pure. Nobody writes in between: the write is undone, and checked anew.
    """

    wants: Callable[[dict[str, Any]], Beside | None]
    check: Callable[[dict[str, Any], Around], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class CommandContext:
    """What a command is given besides its arguments."""

    settings: Settings
    services: Callable[[], AbstractAsyncContextManager[Any]]
    """Opens the record with every chapter's rules: `async with context.services() as services`."""


@dataclass(frozen=True, slots=True)
class Command:
    """One word after `helsevev` on the command line."""

    name: str
    summary: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[CommandContext, Namespace], int]
    """Does it; returns the exit status."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """The table of contents of one folder; `main` lists them, and nothing is discovered."""

    name: str
    """The folder's name."""
    owns: tuple[str, ...] = ()
    """FHIR resource types whose rules live here; a type has one owner."""
    routes: tuple[Any, ...] = ()
    """Litestar handlers, each with `opt={"decision": ...}`."""
    commands: tuple[Command, ...] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """Resource type -> the rule every write of that type passes."""
    rules_beside: Mapping[str, RuleBeside] = field(default_factory=dict)
    """Resource type -> the rule that looks at what else stands in the inhabitant's record."""
    projections: tuple[Projection, ...] = ()
    brought: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """What a phone may have done without contact -> who records it (`access.brought.Verb`)."""
    jobs: tuple[Callable[[Any], Background], ...] = ()
    """What goes on by itself, made of the opened services."""
    demo: tuple[Callable[[Any, Any], Awaitable[Any]], ...] = ()
    """What the demo gets besides its stories, of the services and the personas (by name), once."""
