"""The list of chapters is the list of features; the application and commands are made of it."""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from typing import Any

import uvloop
from litestar import Litestar, get
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Scope

import helsevev.access.chapter
import helsevev.advice.chapter
import helsevev.authoring.chapter
import helsevev.care_plan.chapter
import helsevev.chart.chapter
import helsevev.desk.chapter
import helsevev.documentation.chapter
import helsevev.fhir_api.chapter
import helsevev.medication.chapter
import helsevev.observation.chapter
import helsevev.patient.chapter
import helsevev.screens.chapter
from helsevev.access import admitting, demo, problem_answers, training
from helsevev.access.administration.filling import fill_standing
from helsevev.access.audit.command import keys_of
from helsevev.access.audit.sealing import Sealer
from helsevev.access.audit.watching import Watcher
from helsevev.access.errors import AccessError
from helsevev.access.guard import (
    NotSignedIn,
    require_decision,
    signed_in_middleware,
    within_limits,
)
from helsevev.access.identity import demo_provider
from helsevev.access.identity.door import door_over
from helsevev.access.services import Services, services_over
from helsevev.access.subscriptions.endpoints import Endpoints
from helsevev.access.subscriptions.wiring import Outward
from helsevev.access.walled import behind
from helsevev.authoring import publishing
from helsevev.fhir_api.application import FhirApi
from helsevev.fhir_api.bulk_import import living_region
from helsevev.fhir_api.bulk_import.crew import Lost
from helsevev.kit import clock, logs, server, web
from helsevev.kit.chapter import Chapter, Command, CommandContext, Rule, RuleBeside
from helsevev.kit.secret import must_be_private, secret
from helsevev.kit.settings import BadSetting, Settings, workers_of
from helsevev.kit.workers import Ready, Workers
from helsevev.medication.national_list import beside as national_list
from helsevev.medication.national_list.client import service_of
from helsevev.medication.offline.envelope import Seals
from helsevev.record import reworking
from helsevev.record.connection import DatabaseError
from helsevev.record.embedded import AlreadyServing, EmbeddedPostgresError, exclusive
from helsevev.record.migration import MigrationError
from helsevev.record.opening import held, opened
from helsevev.record.reworking import Rework
from helsevev.region import command as region
from helsevev.region.replay import command as replay
from helsevev.screens.problems import problem_page

CHAPTERS: tuple[Chapter, ...] = (
    helsevev.chart.chapter.CHAPTER,
    helsevev.desk.chapter.CHAPTER,
    helsevev.fhir_api.chapter.CHAPTER,
    helsevev.advice.chapter.CHAPTER,
    helsevev.authoring.chapter.CHAPTER,
    helsevev.medication.chapter.CHAPTER,
    helsevev.documentation.chapter.CHAPTER,
    helsevev.care_plan.chapter.CHAPTER,
    helsevev.patient.chapter.CHAPTER,
    helsevev.observation.chapter.CHAPTER,
    helsevev.access.chapter.CHAPTER,
    helsevev.screens.chapter.CHAPTER,
)


_EXPECTED = (
    AlreadyServing, BadSetting, DatabaseError, EmbeddedPostgresError, Lost, MigrationError,
    server.AddressInUse,
)  # fmt: skip


def rules() -> dict[str, Rule]:
    """Each resource type's clinical rule, from the chapter that owns the type."""
    return {kind: rule for chapter in CHAPTERS for kind, rule in chapter.rules.items()}


def rules_beside() -> dict[str, RuleBeside]:
    """Each resource type's rule about what stands beside it, from the chapter that owns it."""
    return {kind: rule for chapter in CHAPTERS for kind, rule in chapter.rules_beside.items()}


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """The record, opened with every chapter's rules and read models."""
    projections = tuple(p for chapter in CHAPTERS for p in chapter.projections)
    address = settings.address or f"http://{settings.host}:{settings.port}"
    endpoints = Endpoints(settings.subscription_endpoints, loopback=settings.demo)
    async with opened(settings) as database:
        outward = Outward(f"{address}/fhir", endpoints)
        exports = settings.data / "exports"
        yield services_over(
            database, rules(), projections, outward, exports, settings.data, rules_beside()
        )


@asynccontextmanager
async def working(settings: Settings, services: Services) -> AsyncIterator[None]:
    """What goes on by itself: notifications, exports, new search parameters, the audit log."""
    jobs: tuple[Any, ...] = (
        services.notifier, services.indexer, services.exports, Rework(services.reindexer),
        Sealer(services.gate.store.roles.whole, keys_of(settings)), Watcher(services.gate.store),
        services.apps.tidying,
        *(job(services) for chapter in CHAPTERS for job in chapter.jobs),
    )  # fmt: skip
    for job in jobs:
        await job.start()
    try:
        yield
    finally:
        for job in reversed(jobs):
            await job.stop()


def build_app(settings: Settings, services: Services, *, works: bool = True) -> ASGIApp:
    """The application over opened services: every chapter's pages, and FHIR under /fhir.

    FHIR is answered before the pages' framework: a read costs little more than its statement.
    `works` says whether what goes on by itself goes on here too, or in another process.
    """
    # By https we know our name. Else the request says it, and is told it in its own answer alone.
    base = f"{settings.address}/fhir" if settings.address.startswith("https://") else ""
    fhir = FhirApi(services, deletes_several=settings.deletes_several, base=base)
    pages = build_pages(settings, services, works=works)

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        path = scope["path"] if scope["type"] == ScopeType.HTTP else ""
        answering: Any = fhir if path == "/fhir" or path.startswith("/fhir/") else pages
        if answering is fhir or not path:
            await answering(scope, receive, send)
            return
        # Nobody is seen in a page until the gate has found a tie, whatever a route forgets.
        with behind():
            await answering(scope, receive, send)

    return app


def build_pages(settings: Settings, services: Services, *, works: bool = True) -> Litestar:
    """Every chapter's pages, and the word that all is well at /healthz."""

    @get("/healthz", opt={"decision": "public"}, media_type="text/plain")
    async def healthz() -> str:
        await services.gate.store.database.fetchval("SELECT 1")
        return "ok"

    services.exports.are_here = works
    door = door_over(settings, services)
    services.credentials.lock_after = settings.lock_after

    @asynccontextmanager
    async def follow_changes(_app: Litestar) -> AsyncIterator[None]:
        await services.feed.start()
        await services.credentials.follow()
        try:
            async with working(settings, services) if works else nullcontext():
                yield
        finally:
            await services.feed.stop()
            await door.close()

    personas = demo.personas() if settings.demo else {}
    return Litestar(
        route_handlers=[*(route for chapter in CHAPTERS for route in chapter.routes), healthz],
        guards=[require_decision, within_limits],
        middleware=[signed_in_middleware],
        csrf_config=CSRFConfig(
            secret=secret(settings.data, "csrf"), header_name="x-csrf-token",
            cookie_httponly=True, cookie_samesite="lax",
        ),
        exception_handlers={
            **web.problem_handlers(problem_page),
            NotSignedIn: problem_answers.to_sign_in,
            AccessError: problem_answers.tell_access_problem,
            DatabaseError: problem_answers.tell_database_problem,
        },
        before_send=[web.add_security_headers],
        lifespan=[follow_changes],
        state=State({
            "services": services,
            "door": door,
            "seals": Seals(secret(settings.data, "offline")),
            "brought": {kind: v for chapter in CHAPTERS for kind, v in chapter.brought.items()},
            "personas": personas,
            "medication_service": service_of(settings),
            "dictation": settings.dictation,
            "demo_key": secret(settings.data, demo.LOGIN) if settings.demo else "",
        }),
        openapi_config=None,
        logging_config=None,
        debug=False,
    )  # fmt: skip


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="helsevev", description="The shared record of a region.")
    words = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (_SERVE, _REGION, *(c for chapter in CHAPTERS for c in chapter.commands)):
        word = words.add_parser(command.name, help=command.summary, description=command.summary)
        command.add_arguments(word)
        word.set_defaults(run=command.run)
    return parser


def _add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--demo", action="store_true", help="load the demo's people, and let personas in"
    )
    parser.add_argument(
        "--scale", type=region.scale_or_none, metavar="S",
        help="with --demo, load a generated region too: 0.002 is 1,500 inhabitants (default 0)",
    )  # fmt: skip
    parser.add_argument("--port", type=int, help="the port (default PORT or 8000)")
    parser.add_argument(
        "--workers", type=lambda text: workers_of(text, "--workers"), metavar="N",
        help="how many processes answer (default one for each core, at most 4)",
    )  # fmt: skip


def _serve(context: CommandContext, arguments: argparse.Namespace) -> int:
    settings = replace(
        context.settings,
        demo=arguments.demo or context.settings.demo,
        port=context.settings.port if arguments.port is None else arguments.port,
        workers=context.settings.workers if arguments.workers is None else arguments.workers,
    )
    must_be_private(settings)
    scale = arguments.scale if settings.demo else None
    # Before the data folder's lock is taken, which its workers would else hold as well.
    loading = living_region.LivingRegion(context, scale) if scale else None
    with exclusive(settings.data) as lock:
        # A port that is taken is told before minutes are spent on a region.
        listeners = server.listen(settings.host, settings.port, settings.processes)
        address = f"http://{settings.host}:{listeners[0].getsockname()[1]}"
        settings = replace(settings, address=settings.address or address)
        with held(settings):
            people = uvloop.run(_prepare(settings, loading))
            with (
                demo_provider.beside(settings, people) as settings,
                national_list.beside(settings) as settings,
            ):
                return _answer_until_stopped(settings, listeners, address, lock)


async def _prepare(
    settings: Settings, loading: living_region.LivingRegion | None
) -> demo_provider.People:
    """What is done once, however many processes answer; returns who can sign in to the demo."""
    if loading is not None:
        await loading.load()
    async with open_services(settings) as services:
        await services.terminology.load_included()
        await services.packs.keep_built_in()
        await publishing.publish(services)
        await fill_standing(services.gate.store)
        await reworking.protect(services.reindexer)
        if settings.demo:
            await demo.load(services, clock.now())
            for load in (each for chapter in CHAPTERS for each in chapter.demo):
                await load(services, demo.personas())
        return await demo_provider.personas(services.gate.store) if settings.demo else {}


def _answer_until_stopped(
    settings: Settings, listeners: list[socket.socket], address: str, lock: int
) -> int:
    def greet() -> None:
        _greet(settings, address)

    _settle()
    if len(listeners) == 1:
        uvloop.run(_answer(settings, listeners[0], greet, works=True))
        return 0

    def work(number: int, ready: Ready) -> int:
        is_last = number == len(listeners)
        try:
            uvloop.run(
                _work(settings, ready) if is_last else
                _answer(settings, listeners[number], ready, works=False)
            )  # fmt: skip
        except _EXPECTED as problem:
            return _told(problem)
        return 0

    # One more, so that nobody's answer waits for an export or a seal.
    return Workers(len(listeners) + 1, work, dropped=[lock]).run(greet)


async def _answer(
    settings: Settings, listener: socket.socket, ready: Ready, *, works: bool
) -> None:
    async with open_services(settings) as services:
        app = build_app(settings, services, works=works)
        _settle()
        await server.serve(app, listener, ready)


async def _work(settings: Settings, ready: Ready) -> None:
    asked_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_stop.set)
    async with open_services(settings) as services, working(settings, services):
        _settle()
        ready()
        await asked_to_stop.wait()


def _settle() -> None:
    # What is there now stays: collections need not look at it again, and processes share it. A page
    # makes some thousand objects that are gone when it is sent: looking for circles can wait.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


def _greet(settings: Settings, address: str) -> None:
    _say(f"Helsevev answers at {address}")
    if settings.demo:
        if settings.staff_issuer is None:
            _say("  With Node 20 or newer, one could sign in by HelseID and ID-porten as well.")
        for name, link in demo.login_links(settings, address).items():
            _say(f"  {name:<28} {link}")
        _say("Stop with Ctrl-C.")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


_SERVE = Command("serve", "serve the record until stopped", _add_serve_arguments, _serve)


def _region(context: CommandContext, arguments: argparse.Namespace) -> int:
    if arguments.action in region.KEEPS:
        return training.run(context, arguments)
    if arguments.action == "replay":
        return replay.run(arguments, admitting.admission(context))
    return region.run(arguments)


_REGION = Command("region", region.SUMMARY, region.add_arguments, _region)


def cli(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status. What a user can mend is said in a line, without a trace."""
    arguments = _arguments().parse_args(argv)
    logs.set_up()
    try:
        settings = Settings.from_environment()
        context = CommandContext(settings, lambda: open_services(settings))
        status: int = arguments.run(context, arguments)
        return status
    except _EXPECTED as problem:
        return _told(problem)
    except KeyboardInterrupt:
        return 130


def _told(problem: Exception) -> int:
    sys.stderr.write(f"helsevev: {problem}\n")
    return 1
