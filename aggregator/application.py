"""The application put together: every stage over one database. Opened and closed in order."""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from feeds.fetch import HttpFetcher
from feeds.guard import Guard
from feeds.urls import registrable_domain

from aggregator.children import Children
from aggregator.clock import Clock, utc_now
from aggregator.folding import Folder
from aggregator.identity import authority_of
from aggregator.ledger import Ledger
from aggregator.polling import Poller
from aggregator.publisher import Identity, Publisher
from aggregator.reading import Reader
from aggregator.settings import Settings, SourceSettings
from aggregator.stage import Stage
from aggregator.tally import Tally
from aggregator.version import VERSION
from storage.articles import count_by_state
from storage.database import StorageError, open_database
from storage.installation import settle
from storage.sources import make_all_due, sync_sources
from storage.values import ArticleToRead, FoldArticle, SourceConfig, SourceState, SyncReport


class ApplicationError(Exception):
    """Something that the operator must see to; the message says what, where and how."""


@dataclass(frozen=True, slots=True)
class Application:
    """The stages, and what they share."""

    settings: Settings
    ledger: Ledger
    publisher: Publisher
    polling: Stage[SourceState]
    reading: Stage[ArticleToRead]
    folding: Stage[tuple[FoldArticle, ...]]
    tally: Tally
    clock: Clock
    synced: SyncReport

    async def full_pass(self, *, everything: bool) -> None:
        """Poll what is due (or everything), then extract, fold and publish all that came of it."""
        if everything:
            await self.ledger.write(make_all_due, self.clock())
        await self.polling.drain()
        await self.reading.drain()
        await self.folding.drain()
        await self.publisher.refresh()

    async def waiting(self) -> int:
        """How many articles are still to be read or folded."""
        states = await self.ledger.read(count_by_state)
        return states["new"] + states["read"]


@asynccontextmanager
async def open_application(
    settings: Settings, *, clock: Clock = utc_now, rng: random.Random | None = None
) -> AsyncIterator[Application]:
    """Open the database, start the child processes, and put the stages together.

    Raises:
        ApplicationError: the database cannot be opened.
    """
    async with AsyncExitStack() as stack:
        try:
            ledger = Ledger(open_database(settings.storage.url))
        except StorageError as error:
            raise ApplicationError(str(error)) from error
        stack.callback(ledger.close)
        synced = await ledger.write(sync_sources, _sources(settings), clock())
        children = await stack.enter_async_context(
            Children(
                settings.extract.workers,
                settings.extract.timeout.total_seconds(),
                settings.extract.memory,
            )
        )
        fetcher = await stack.enter_async_context(_fetcher(settings))
        yield await _assemble(settings, ledger, children, fetcher, clock, rng, synced)


async def _assemble(
    settings: Settings,
    ledger: Ledger,
    children: Children,
    fetcher: HttpFetcher,
    clock: Clock,
    rng: random.Random | None,
    synced: SyncReport,
) -> Application:
    identity = await _identity(settings, ledger, clock())
    tally = Tally()
    poller = Poller(ledger, fetcher, children, settings, clock, rng or random.Random(), tally)
    reader = Reader(ledger, fetcher, children, settings, clock, tally)
    folder = Folder(ledger, identity.authority, clock, tally)
    folding = Stage("fold", folder.claim, folder.fold, slots=1)
    reading = Stage(
        "extract", reader.claim, reader.read, settings.fetch.concurrency, after=folding.wake
    )
    polling = Stage(
        "poll", poller.claim, poller.poll, settings.fetch.concurrency, after=reading.wake
    )
    publisher = Publisher(ledger, settings, identity)
    return Application(settings, ledger, publisher, polling, reading, folding, tally, clock, synced)


async def _identity(settings: Settings, ledger: Ledger, now: datetime) -> Identity:
    settled = await ledger.write(
        settle,
        {"authority": authority_of(settings.server.base_url), "born": now.isoformat()},
    )
    return Identity(settled["authority"], datetime.fromisoformat(settled["born"]))


def _fetcher(settings: Settings) -> HttpFetcher:
    contact = settings.fetch.contact or settings.server.base_url
    return HttpFetcher(
        Guard(settings.fetch.allow_networks), user_agent=f"newsfold/{VERSION} (+{contact})"
    )


def _sources(settings: Settings) -> list[SourceConfig]:
    return [_source(source, settings) for source in settings.source]


def _source(source: SourceSettings, settings: Settings) -> SourceConfig:
    domain = registrable_domain(source.url)
    return SourceConfig(
        url=source.url,
        name=source.name or domain,
        publisher=source.publisher or domain,
        category=source.category,
        language=source.language,
        priority=source.priority,
        full_text=source.full_text or settings.extract.full_text,
        enabled=source.enabled,
    )
