"""The application put together: every stage over one database. Opened and closed in order."""

import gc
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from aggregator.clock import Clock, Steady, steady_seconds, utc_now
from aggregator.config.dangers import dangers
from aggregator.config.publishers import publisher_of
from aggregator.config.settings import Settings
from aggregator.config.source_settings import SourceSettings
from aggregator.errors import ApplicationError
from aggregator.lanes import Lanes
from aggregator.ledger import Ledger
from aggregator.matching.model import Model
from aggregator.metrics.counting import Metrics
from aggregator.notices import Notices
from aggregator.running.bell import Bell
from aggregator.running.neighbours import process_name
from aggregator.running.pushing import Push, assemble_push
from aggregator.running.shared_turns import SharedTurns
from aggregator.stages.extract.reading import Reader
from aggregator.stages.fold.folding import Folder
from aggregator.stages.fold.identity import authority_of, mint_identity
from aggregator.stages.fold.retaining import Retention
from aggregator.stages.poll.polling import Poller
from aggregator.stages.publish.masthead import Identity
from aggregator.stages.publish.publisher import Publisher
from aggregator.stages.push import announcing
from aggregator.stages.push.announcing import Announcer
from aggregator.stages.stage import Stage
from aggregator.stages.tally import Tally
from aggregator.stages.tools import Tools, fetcher_of, pacer_of
from storage.backup import take_up
from storage.database import Database, StorageError, open_database
from storage.duties import Duties
from storage.exclusive import sole_use
from storage.installation import settle
from storage.sources import sync_sources
from storage.values.extract import ArticleToRead
from storage.values.fold import FoldArticle
from storage.values.push import Ping
from storage.values.source import SourceConfig, SourceState

SLOTS_PER_REQUEST = 10
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Application:
    """The stages, and what they share."""

    settings: Settings
    ledger: Ledger
    publisher: Publisher
    poller: Poller
    folder: Folder
    polling: Stage[SourceState]
    reading: Stage[ArticleToRead]
    folding: Stage[tuple[FoldArticle, ...]]
    retention: Retention
    tally: Tally
    clock: Clock
    announcer: Announcer
    announcing: Stage[Ping]
    push: Push | None
    bell: Bell
    duties: Duties
    name: str

    async def fold(self, term: int) -> None:
        """Fold on duty, until cancelled."""
        self.folder.begin(term)
        await self.folding.run()

    async def poll_once(self, moment: datetime) -> None:
        """Poll what was due by ``moment``, each source once."""
        claim = partial(self.poller.claim_due_by, moment)
        await Stage("poll", claim, self.poller.poll, slots(self.settings)).drain()


@asynccontextmanager
async def open_application(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    steady: Steady = steady_seconds,
    notices: Notices | None = None,
    metrics: Metrics | None = None,
    rng: random.Random = random.Random(),  # noqa: B008, S311 - jitter; one per process is right
) -> AsyncIterator[Application]:
    """Open the database, start the child processes, and put the stages together.

    Raises:
        ApplicationError: the database cannot be opened.
    """
    # What another life in this process left: arrays of the matcher, in cycles that the collector
    # would find hours later, since it counts objects and not their size.
    gc.collect()
    async with AsyncExitStack() as stack:
        ledger = Ledger(_open(settings), notices)
        stack.callback(ledger.close)
        for danger in dangers(settings):
            _log.warning("danger", why=danger)
        await ledger.write(sync_sources, _sources(settings), clock())
        tally = Tally(metrics=metrics or Metrics())
        children = await stack.enter_async_context(
            Lanes(
                settings.extract.workers,
                settings.extract.timeout.total_seconds(),
                settings.extract.memory,
                tally.metrics.child_killed,
            )
        )
        fetcher = await stack.enter_async_context(fetcher_of(settings))
        identity = await _identity(settings, ledger, clock())
        shared = SharedTurns(ledger) if ledger.database.is_shared else None
        pacer = pacer_of(settings, shared)
        name = process_name()
        tools = Tools(settings, ledger, children, fetcher, pacer, clock, rng, tally, name)
        duties = Duties(ledger.database)
        stack.callback(duties.close)
        retention = Retention(ledger, settings, clock, steady)
        yield _assemble(tools, identity, duties, retention)


def _assemble(
    tools: Tools, identity: Identity, duties: Duties, retention: Retention
) -> Application:
    settings, ledger = tools.settings, tools.ledger
    bell = Bell(ledger, tools.name)
    reader = Reader(tools)
    folder = Folder(
        ledger,
        Model.load(),
        partial(mint_identity, identity.authority),
        tools.clock,
        tools.tally,
        retention=retention,
    )
    folding = Stage("fold", folder.claim, folder.fold, slots=1)
    bell.answer("fold", folding.wake)
    reading = Stage(
        "extract",
        reader.claim,
        reader.read,
        slots(settings),
        after=bell.for_stage("fold"),
        release=reader.release,
        recall=reader.recall,
    )
    bell.answer("extract", reading.wake)
    push = assemble_push(tools, bell)
    poller = Poller(tools, push.hubs.seen if push else None)
    polling = Stage(
        "poll",
        poller.claim,
        poller.poll,
        slots(settings),
        after=bell.for_stage("extract"),
        release=poller.release,
        recall=poller.recall,
    )
    publisher = Publisher(ledger, settings, identity, tools.clock)
    announcer = Announcer(tools, publisher)
    return Application(
        settings,
        ledger,
        publisher,
        poller,
        folder,
        polling,
        reading,
        folding,
        retention,
        tools.tally,
        tools.clock,
        announcer,
        Stage("announce", announcer.claim, announcer.tell, announcing.SLOTS),
        push,
        bell,
        duties,
        tools.name,
    )


@contextmanager
def sole_use_of(settings: Settings) -> Iterator[None]:
    """Be the only daemon on an SQLite file; take up a backup that waits beside it.

    Raises:
        ApplicationError: another one is.
    """
    try:
        with sole_use(settings.storage.url):
            if aside := take_up(settings.storage.url, utc_now()):
                _log.warning("backup", outcome="taken up", replaced=str(aside))
            yield
    except StorageError as error:
        raise ApplicationError(str(error)) from error


@contextmanager
def open_storage(settings: Settings) -> Iterator[Database]:
    """The database alone, for commands that need nothing else.

    Raises:
        ApplicationError: it cannot be opened.
    """
    with closing(_open(settings)) as database:
        yield database


def _open(settings: Settings) -> Database:
    try:
        return open_database(settings.storage.url)
    except StorageError as error:
        raise ApplicationError(str(error)) from error


def slots(settings: Settings) -> int:
    """How many pieces a stage keeps under way.

    More than there may be requests: whoever waits for a slow host keeps nobody else out.
    """
    return settings.fetch.concurrency * SLOTS_PER_REQUEST


async def _identity(settings: Settings, ledger: Ledger, now: datetime) -> Identity:
    settled = await ledger.write(
        settle,
        {"authority": authority_of(settings.server.base_url), "born": now.isoformat()},
    )
    return Identity(settled["authority"], datetime.fromisoformat(settled["born"]))


def _sources(settings: Settings) -> list[SourceConfig]:
    return [_source(source, settings) for source in settings.source]


def _source(source: SourceSettings, settings: Settings) -> SourceConfig:
    return SourceConfig(
        url=source.url,
        name=source.label,
        publisher=publisher_of(source, settings.publisher),
        category=source.category,
        language=source.language,
        priority=source.priority,
        full_text=source.full_text or settings.extract.full_text,
        enabled=source.enabled,
    )
