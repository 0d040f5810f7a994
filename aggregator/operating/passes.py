"""Work that comes to an end: ``newsfold update`` and ``newsfold render``, with their progress."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from aggregator.config.settings import Settings
from aggregator.operating.static_files import write_site
from aggregator.running.application import Application, open_application, sole_use_of
from aggregator.running.daemon import run_async
from aggregator.running.on_duty import do_once
from storage.articles import count_by_state
from storage.duties import FOLD, PUBLISH
from storage.sources import count_due, make_all_due

_LOOK = 1.0
"""Seconds between two looks at what another process does."""


def run_update(settings: Settings, *, everything: bool) -> None:
    """One full pass; its summary goes to standard output, all else to standard error.

    Raises:
        ApplicationError: the database is no good.
    """
    run_async(_update(settings, everything=everything))


async def _update(settings: Settings, *, everything: bool) -> None:
    begun = time.monotonic()
    with sole_use_of(settings):
        async with open_application(settings) as application:
            await full_pass(application, everything=everything)
            tally = application.tally
    for name, error in sorted(tally.failed.items()):
        click.echo(f"failed: {name}: {error}", err=True)
    click.echo(
        f"{tally.polled} sources polled, {len(tally.failed)} failed; "
        f"{tally.entries} new or changed entries; {tally.read} articles read, "
        f"{tally.folded} folded; {time.monotonic() - begun:.1f} s"
    )


async def full_pass(application: Application, *, everything: bool) -> None:
    """Poll what is due (or everything), then extract, fold and publish all that came of it.

    Shows its progress on standard error: bars on a terminal, plain lines in a pipe.
    """
    tally, ledger = application.tally, application.ledger
    begun = application.clock()
    if everything:
        await ledger.write(make_all_due, begun)
    due = await ledger.read(count_due, begun)
    poll_once = partial(application.poll_once, begun)
    await _step("Polling", due, lambda: tally.polled, application, poll_once)
    states = await ledger.read(count_by_state)
    await _step(
        "Extracting", states["new"], lambda: tally.read, application, application.reading.drain
    )
    states = await ledger.read(count_by_state)
    fold = partial(fold_all, application)
    await _step("Folding", states["read"], lambda: tally.folded, application, fold)
    await publish_once(application)


async def fold_all(application: Application) -> None:
    """Fold all that waits; where another process has the duty to, wait until it has."""

    async def fold(term: int) -> None:
        application.folder.begin(term)
        await application.folding.drain()

    while not await do_once(application.duties, FOLD, fold):
        states = await application.ledger.read(count_by_state)
        if not states["read"]:
            break
        await asyncio.sleep(_LOOK)


async def publish_once(application: Application) -> None:
    """Bring the outputs up to date; where another process has the duty to, follow it."""

    async def publish(_term: int) -> None:
        await application.publisher.refresh()

    if not await do_once(application.duties, PUBLISH, publish):
        application.publisher.leads = False
        await application.publisher.refresh()


async def _step(
    name: str,
    total: int,
    done: Callable[[], int],
    application: Application,
    drain: Callable[[], Awaitable[None]],
) -> None:
    begun = done()
    with _progress(name, total) as show:
        application.tally.changed = lambda: show(done() - begun)
        await drain()


@contextmanager
def _progress(name: str, total: int) -> Iterator[Callable[[int], None]]:
    if not sys.stderr.isatty():
        click.echo(f"{name} {total}", err=True)
        yield lambda _: None
        return
    bar = click.progressbar(
        length=total, label=f"{name:<10}", show_pos=True, show_percent=False, file=sys.stderr
    )
    with bar:
        yield lambda done: bar.update(done - bar.pos)


def run_render(settings: Settings, folder: Path) -> None:
    """Write every output and page below ``folder``, and say how many files changed.

    Raises:
        ApplicationError: the database is no good, or the folder cannot be written.
    """
    run_async(_render(settings, folder))


async def _render(settings: Settings, folder: Path) -> None:
    async with open_application(settings) as application:
        await publish_once(application)
        site = await write_site(application, folder)
    click.echo(
        f"{site.written} files written to {folder}, {site.same} were up to date, "
        f"{site.removed} removed"
    )
