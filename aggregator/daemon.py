"""The daemon: stages side by side, ticks, the web server; started and stopped in order."""

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import structlog
import uvloop

from aggregator.application import Application, open_application, sole_use_of
from aggregator.changes import Changes
from aggregator.config.environment import process_environment
from aggregator.config.settings import Settings
from aggregator.config.watch import ConfigWatch
from aggregator.errors import ApplicationError
from aggregator.front_door import Limits
from aggregator.metrics.counting import Metrics
from aggregator.notices import Notices
from aggregator.server import ListenError, bind, connections_within, serving
from aggregator.supervisor import Supervisor
from aggregator.ticks import Ticks
from aggregator.web.app import Site, create_app
from storage.database import StorageTroubleError

_log = structlog.get_logger()
OTHER_FILES = 200
"""Open files beside the connections of clients and sources: database, child processes, logs."""
_POLL_TICK, _WORK_TICK = 1.0, 5.0
"""Seconds. Due sources are looked for every second, missed wake-ups of later stages less often."""


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
    listener: socket.socket


async def _next_life(life: _Life, changes: Changes, stop: asyncio.Event, stack: ExitStack) -> _Life:
    """Wait until the daemon is to stop, or to go on with other settings or another database."""
    while not stop.is_set():
        settings = await changes.next(stop) or life.settings
        if settings.server.listen == life.settings.server.listen:
            return _Life(settings, life.listener)
        try:
            return _Life(settings, _listen(stack, settings))
        except ApplicationError as error:
            changes.refuse(str(error))
    return life


def _listen(stack: ExitStack, settings: Settings) -> socket.socket:
    try:
        return stack.enter_context(bind(settings.server.listen))
    except ListenError as error:
        raise ApplicationError(str(error)) from error


def _announce(settings: Settings, announce: Callable[[str], None]) -> None:
    announce(f"Front page   {settings.server.base_url.rstrip('/')}/")
    for output in settings.outputs():
        announce(f"Merged feed  {settings.server.base_url.rstrip('/')}/{output.name}.atom")
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
    listener: socket.socket,
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
    listener: socket.socket,
    notices: Notices,
    supervisor: Supervisor,
    metrics: Metrics,
) -> AsyncIterator[Application]:
    async with open_application(settings, notices=notices, metrics=metrics) as application:
        publishing = asyncio.Event()
        await application.publisher.refresh()
        await application.poller.put_right()
        await application.poller.spread_overdue()
        push = application.push
        if push:
            await push.subscriber.begin()
        site = Site(
            settings,
            application.ledger,
            application.publisher,
            lambda: True,
            notices,
            push.mailbox if push else None,
            metrics=metrics,
        )
        tasks = [
            asyncio.create_task(coroutine, name=name)
            for name, coroutine in {
                "poll": application.polling.run(),
                "extract": application.reading.run(),
                "fold": application.folding.run(),
                "publish": _publish(application, publishing),
                **{stage.name: stage.run() for stage in application.hub_stages},
            }.items()
        ]
        jobs: dict[str, tuple[float, Callable[[], None]]] = {
            "poll": (_POLL_TICK, application.polling.wake),
            "extract": (_WORK_TICK, application.reading.wake),
            "fold": (_WORK_TICK, application.folding.wake),
            "publish": (_POLL_TICK, publishing.set),
            **{stage.name: (_WORK_TICK, stage.wake) for stage in application.hub_stages},
        }
        if supervisor.pause is not None:
            jobs["supervisor"] = (supervisor.pause, supervisor.alive)
        ticks = Ticks(jobs)
        ticks.start()
        _log.info("started", sources=len(settings.source), outputs=len(settings.outputs()))
        try:
            async with serving(create_app(site), listener, limits_of(settings)) as door:
                metrics.watch_connections(lambda: door.open)
                yield application
        finally:
            ticks.stop()
            await _end(tasks)
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


async def _publish(application: Application, wake: asyncio.Event) -> None:
    while True:
        await wake.wait()
        wake.clear()
        begun = time.monotonic()
        try:
            if await application.publisher.refresh():
                seconds = round(time.monotonic() - begun, 3)
                _log.info("published", outcome="changed", seconds=seconds)
            await application.announcer.note()
        except StorageTroubleError as error:
            _log.warning("published", outcome="put off", error=str(error))
        except Exception:  # noqa: BLE001 - the last good documents go on being served
            _log.exception("published", outcome="crashed")


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    results: list[Awaitable[Any]] = [*tasks]
    await asyncio.gather(*results, return_exceptions=True)
