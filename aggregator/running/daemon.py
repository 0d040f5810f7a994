"""The daemon: stages side by side, ticks, the web server; started and stopped in order."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import structlog
import uvloop

from aggregator.config.environment import process_environment
from aggregator.config.settings import Settings
from aggregator.config.watch import ConfigWatch
from aggregator.errors import ApplicationError
from aggregator.garbage import search_seldom
from aggregator.metrics.counting import Metrics
from aggregator.notices import Notices
from aggregator.running import memory
from aggregator.running.application import Application, open_application, sole_use_of
from aggregator.running.changes import Changes
from aggregator.running.front_door import Limits
from aggregator.running.lasting import lasting
from aggregator.running.neighbours import Neighbourhood, describe
from aggregator.running.roles import Running, what_runs
from aggregator.running.server import ListenError, bind, connections_within, serving
from aggregator.running.supervisor import Supervisor
from aggregator.running.ticks import Ticks
from aggregator.web.app import Site, create_app, create_probes

_log = structlog.get_logger()
OTHER_FILES = 200
"""Open files beside the connections of clients and sources: database, child processes, logs."""


def run_daemon(
    settings: Settings,
    announce: Callable[[str], None],
    watch: ConfigWatch | None = None,
    log_as: Callable[[Settings], None] = lambda _: None,
) -> None:
    """Run until SIGINT or SIGTERM; with ``watch``, follow the configuration as it is edited.

    ``log_as`` is called whenever settings come into force, to log as they say.

    Raises:
        ApplicationError: the database or the address to listen on is no good.
    """
    run_async(_until_signalled(settings, announce, watch, log_as))


def run_async(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on uvloop."""
    search_seldom()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


async def _until_signalled(
    settings: Settings,
    announce: Callable[[str], None],
    watch: ConfigWatch | None,
    log_as: Callable[[Settings], None],
) -> None:
    stop = stop_signal()
    notices, metrics = Notices(), Metrics()
    supervisor = Supervisor(process_environment())
    with ExitStack() as stack:
        life = _Life(settings, _listen(stack, settings))
        good: _Life | None = None
        while not stop.is_set():
            log_as(life.settings)
            changes = Changes(watch, notices, settings.storage.url)
            try:
                async with daemon(life.settings, life.listener, notices, supervisor, metrics):
                    if good is None:
                        _announce(life.settings, announce)
                    good = life
                    life = await _next_life(life, changes, stop, stack)
                    if stop.is_set():
                        supervisor.stopping()
                        announce("Stopping.")
            except ApplicationError as error:
                if good is None:
                    raise
                changes.refuse(str(error))
                if life is good:  # the database is away
                    await changes.pause(stop)
                life = good


@dataclass(frozen=True, slots=True)
class _Life:
    """One life of the application. The process and its listening socket may see several."""

    settings: Settings
    listener: socket.socket | None


async def _next_life(life: _Life, changes: Changes, stop: asyncio.Event, stack: ExitStack) -> _Life:
    """Wait until the daemon is to stop, or to go on with other settings or another database."""
    while not stop.is_set():
        settings = await changes.next(stop) or life.settings
        if address_of(settings) == address_of(life.settings):
            return _Life(settings, life.listener)
        try:
            return _Life(settings, _listen(stack, settings))
        except ApplicationError as error:
            changes.refuse(str(error))
    return life


def address_of(settings: Settings) -> str | None:
    """Where the process answers requests; None: nowhere."""
    process = settings.process
    return settings.server.listen if "web" in process.roles else process.listen


def _listen(stack: ExitStack, settings: Settings) -> socket.socket | None:
    address = address_of(settings)
    if address is None:
        return None
    try:
        return stack.enter_context(bind(address))
    except ListenError as error:
        raise ApplicationError(
            f"{error}; is another newsfold running? server.listen sets the address"
        ) from error


def _announce(settings: Settings, announce: Callable[[str], None]) -> None:
    if "web" not in settings.process.roles:
        announce(f"Roles        {', '.join(settings.process.roles)}")
        announce("Stop with Ctrl-C.")
        return
    announce(f"Front page   {settings.server.base_url.rstrip('/')}/")
    for output in settings.outputs():
        announce(f"Merged feed  {settings.server.base_url.rstrip('/')}/{output.name}.atom")
    if not settings.source:
        announce("No sources   newsfold sources add ADDRESS; it is taken up by itself")
    announce("Stop with Ctrl-C.")


def stop_signal() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set from now on, instead of ending the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


@contextlib.asynccontextmanager
async def daemon(
    settings: Settings,
    listener: socket.socket | None,
    notices: Notices | None = None,
    supervisor: Supervisor | None = None,
    metrics: Metrics | None = None,
) -> AsyncIterator[Application]:
    """The daemon at work for as long as the block runs.

    Raises:
        ApplicationError: the database is no good, or another daemon has it.
    """
    notices = notices or Notices()
    supervisor = supervisor or Supervisor({})
    with sole_use_of(settings):
        async with _at_work(
            settings, listener, notices, supervisor, metrics or Metrics()
        ) as application:
            supervisor.ready(f"{len(settings.source)} sources")
            yield application


@contextlib.asynccontextmanager
async def _at_work(
    settings: Settings,
    listener: socket.socket | None,
    notices: Notices,
    supervisor: Supervisor,
    metrics: Metrics,
) -> AsyncIterator[Application]:
    async with open_application(settings, notices=notices, metrics=metrics) as application:
        own = describe(application.name, settings, application.clock())
        neighbourhood = Neighbourhood(application.ledger, notices, own, application.clock)
        await _prepare(application, neighbourhood)
        running = list(what_runs(application, neighbourhood))
        tasks = [asyncio.create_task(lasting(one.name, one.run), name=one.name) for one in running]
        ticks = Ticks(_jobs(running, supervisor))
        ticks.start()
        _log.info(
            "started",
            process=application.name,
            roles=",".join(settings.process.roles),
            sources=len(settings.source),
            outputs=len(settings.outputs()),
        )
        try:
            async with _answering(application, listener, notices, metrics):
                yield application
        finally:
            ticks.stop()
            await _end(tasks)
            await neighbourhood.end()
            _log.info("stopped")


def limits_of(settings: Settings) -> Limits:
    """What the configuration lets clients take. Only hubs send bodies, of what we would fetch."""
    server = settings.server
    others = 2 * settings.fetch.concurrency + OTHER_FILES
    connections = connections_within(server.max_connections, others)
    if connections < server.max_connections:
        _log.warning(
            "connections",
            outcome="fewer",
            most=connections,
            wanted=server.max_connections,
            why="the limit of open files (ulimit -n) allows no more",
        )
    return Limits(
        connections=connections,
        patience=server.client_timeout.total_seconds(),
        head=server.max_head_bytes,
        body=settings.fetch.max_bytes,
    )


async def _prepare(application: Application, neighbourhood: Neighbourhood) -> None:
    """What is done before anything runs."""
    roles = application.settings.process.roles
    application.publisher.leads = not application.ledger.database.is_shared
    await neighbourhood.begin()
    if "web" in roles:
        await application.publisher.refresh()
    if "poll" in roles:
        await application.poller.put_right()
        await application.poller.spread_overdue()
        if application.push:
            await application.push.subscriber.begin()


def _jobs(
    running: list[Running], supervisor: Supervisor
) -> dict[str, tuple[float, Callable[[], None]]]:
    jobs = {one.name: (one.every, one.wake) for one in running if one.wake}
    jobs["memory"] = (memory.PAUSE, memory.give_back_soon)
    if supervisor.pause is not None:
        jobs["supervisor"] = (supervisor.pause, supervisor.alive)
    return jobs


@contextlib.asynccontextmanager
async def _answering(
    application: Application, listener: socket.socket | None, notices: Notices, metrics: Metrics
) -> AsyncIterator[None]:
    """Answer requests for as long as the block runs, if there is anywhere to."""
    if listener is None:
        yield
        return
    settings, push = application.settings, application.push
    site = Site(
        settings,
        application.ledger,
        application.publisher,
        lambda: True,
        notices,
        push.mailbox if push else None,
        metrics=metrics,
    )
    async with serving(
        create_app(site) if "web" in settings.process.roles else create_probes(site),
        listener,
        limits_of(settings),
    ) as door:
        metrics.watch_connections(lambda: door.open)
        yield


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    results: list[Awaitable[Any]] = [*tasks]
    await asyncio.gather(*results, return_exceptions=True)
