"""The daemon: stages side by side, ticks, the web server; started and stopped in order."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import structlog
import uvloop

from aggregator.application import Application, open_application
from aggregator.config.settings import Settings
from aggregator.errors import ApplicationError
from aggregator.server import ListenError, bind, serving
from aggregator.ticks import Ticks
from aggregator.web.app import Site, create_app

_log = structlog.get_logger()
_POLL_TICK, _WORK_TICK = 1.0, 5.0
"""Seconds. Due sources are looked for every second, missed wake-ups of later stages less often."""


def run_daemon(settings: Settings, announce: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM.

    Raises:
        ApplicationError: the database or the address to listen on is no good.
    """
    run_async(_until_signalled(settings, announce))


def run_async(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


async def _until_signalled(settings: Settings, announce: Callable[[str], None]) -> None:
    try:
        listener = bind(settings.server.listen)
    except ListenError as error:
        raise ApplicationError(str(error)) from error
    stop = stop_signal()
    with listener:
        async with daemon(settings, listener):
            announce(f"Front page   {settings.server.base_url.rstrip('/')}/")
            for output in settings.outputs():
                announce(f"Merged feed  {settings.server.base_url.rstrip('/')}/{output.name}.atom")
            announce("Stop with Ctrl-C.")
            await stop.wait()
            announce("Stopping.")


def stop_signal() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set from now on, instead of ending the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


@contextlib.asynccontextmanager
async def daemon(settings: Settings, listener: socket.socket) -> AsyncIterator[Application]:
    """The daemon at work for as long as the block runs."""
    async with open_application(settings) as application:
        publishing = asyncio.Event()
        await application.publisher.refresh()
        await application.poller.spread_overdue()
        push = application.push
        if push:
            await push.subscriber.begin()
        mailbox = push.mailbox if push else None
        site = Site(settings, application.ledger, application.publisher, lambda: True, mailbox)
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
        ticks = Ticks(
            {
                "poll": (_POLL_TICK, application.polling.wake),
                "extract": (_WORK_TICK, application.reading.wake),
                "fold": (_WORK_TICK, application.folding.wake),
                "publish": (_POLL_TICK, publishing.set),
                **{stage.name: (_WORK_TICK, stage.wake) for stage in application.hub_stages},
            }
        )
        ticks.start()
        _log.info("started", sources=len(settings.source), outputs=len(settings.outputs()))
        try:
            async with serving(create_app(site), listener):
                yield application
        finally:
            ticks.stop()
            await _end(tasks)
            _log.info("stopped")


async def _publish(application: Application, wake: asyncio.Event) -> None:
    while True:
        await wake.wait()
        wake.clear()
        try:
            if await application.publisher.refresh():
                _log.info("published")
            await application.announcer.note()
        except Exception:  # noqa: BLE001 - the last good documents go on being served
            _log.exception("publish failed")


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    results: list[Awaitable[Any]] = [*tasks]
    await asyncio.gather(*results, return_exceptions=True)
