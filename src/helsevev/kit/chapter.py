"""What a chapter declares: the resource types it owns, its routes, commands and rules."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from helsevev.kit.projection import Projection
from helsevev.kit.settings import Settings

Rule = Callable[[dict[str, Any]], Sequence[Any]]
"""check(resource) -> the issues found, none when the resource may be written. Pure."""


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
    projections: tuple[Projection, ...] = ()
