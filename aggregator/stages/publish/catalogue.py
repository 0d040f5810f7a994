"""What an output holds: its sequence brought up to date, its entries, its archives closed.

Everything is in the database: two processes that publish the same output agree, and a restart
changes nothing.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from aggregator.config.output_settings import OutputSettings
from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.stages.publish.archives import archive_size, freeze, is_to_close
from aggregator.stages.publish.choosing import (
    ROLLING_NEWEST,
    admit,
    choose,
    says_all,
    split,
    word_filter,
)
from aggregator.stages.publish.masthead import Identity, masthead
from aggregator.stages.publish.outputs import (
    admits,
    article_entry,
    frozen_feed,
    output_entry,
    story_filter,
)
from feeds.model import OutputEntry
from feeds.writing.entry_size import entry_bytes
from storage.publications import (
    close_archive,
    open_publications,
    output_progress_of,
    publish,
    published,
    unjudged_articles,
    unjudged_stories,
    wordings,
)
from storage.publishing import articles_by_id, stories_by_id
from storage.values.publish import ClosedArchive, Listed, Progress, Window

_log = structlog.get_logger()
_FIRST_LOOK = 5_000
_DAY = timedelta(days=1)
_SCANNED = 2_000
"""What is asked for by ``?q=`` and the like is looked for among so many of the newest entries."""


@dataclass(frozen=True, slots=True)
class Holding:
    """An entry of an output, its place in the sequence, and when what it shows last changed."""

    id: int
    position: int
    entry: OutputEntry
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asks for of an output. ``words`` are case-folded; empty means anything."""

    words: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    limit: int | None = None


def _believed(progress: Progress, now: datetime) -> Progress:
    """``progress``; where it looked ahead of now a clock was wrong, and a day is looked at anew."""
    ahead = progress.looked_at is not None and progress.looked_at > now
    return replace(progress, looked_at=now - _DAY) if ahead else progress


class Catalogue:
    """Reads and moves on what the outputs of one site hold."""

    def __init__(self, ledger: Ledger, settings: Settings, identity: Identity) -> None:
        self._ledger = ledger
        self._addresses = {source.name: source.url for source in settings.source if source.name}
        self._masthead = masthead(settings, identity)
        self._rules = {output.name: word_filter(output) for output in settings.outputs()}

    async def progress(self, output: OutputSettings) -> Progress:
        """How far ``output`` has come."""
        return await self._ledger.read(output_progress_of, output.name)

    async def move_on(self, output: OutputSettings, now: datetime) -> Progress:
        """Append what is new to the sequence of ``output``; judged by its filters, once."""
        wanted = story_filter(output, self._addresses)
        name = admits(output, wanted)
        before = _believed(await self._ledger.read(output_progress_of, output.name), now)
        first = before.admits != name
        wanted = replace(
            wanted,
            limit=min(_FIRST_LOOK, 20 * output.limit),
            seen_before=now - output.settle if output.settle else None,
        )
        known = None if first else before
        if output.fold:
            unjudged = await self._ledger.read(
                unjudged_stories, output.name, wanted, known, output.settle
            )
        else:
            unjudged = await self._ledger.read(unjudged_articles, output.name, wanted, known)
        ids = await self._worded(output, unjudged.ids)
        cursor = (before.looked_at, before.looked_to)
        if not (ids or first) and cursor == (unjudged.looked_at, unjudged.looked_to):
            return before
        return await self._ledger.write(publish, output.name, ids, name, unjudged)

    async def _worded(self, output: OutputSettings, ids: Sequence[int]) -> Sequence[int]:
        rules = self._rules[output.name]
        if not rules or not ids:
            return ids
        said = await self._ledger.read(wordings, ids, of_articles=not output.fold)
        admission = await asyncio.to_thread(admit, ids, said, rules)
        if admission.undecided:
            _log.warning(
                "filtered",
                outcome="undecided",
                why="a filter took too long and was taken to find nothing",
                output=output.name,
                items=admission.undecided,
            )
        return admission.ids

    async def current(
        self, output: OutputSettings, progress: Progress, now: datetime, asked: Asked | None = None
    ) -> tuple[Holding, ...]:
        """The entries that ``output`` shows at ``now``, in order; of them those ``asked`` for."""
        since = now - output.max_age if output.max_age else None
        limit = (asked and asked.limit) or output.limit
        newest = max(ROLLING_NEWEST if output.rolling else 0, _SCANNED if asked else 0)
        window = Window(
            newest=newest or limit,
            after=progress.next_position - 1 - newest if newest else 0,
            since=since,
            categories=asked.categories if asked else (),
            languages=asked.languages if asked else (),
        )
        listed = await self._ledger.read(
            published, output.name, window, of_articles=not output.fold
        )
        if asked and asked.words:
            ids = [item.id for item in listed]
            said = await self._ledger.read(wordings, ids, of_articles=not output.fold)
            listed = tuple(
                item for item in listed if item.id in said and says_all(said[item.id], asked.words)
            )
        chosen = choose(
            listed,
            covered=output.order == "covered",
            per_source=output.per_source,
            limit=limit,
        )
        return await self._holdings(output, chosen)

    async def _holdings(
        self, output: OutputSettings, listed: Sequence[Listed]
    ) -> tuple[Holding, ...]:
        ids = [item.id for item in listed]
        full = output.content == "full"
        shown: dict[int, tuple[OutputEntry, datetime]] = {}
        if output.fold:
            for story in await self._ledger.read(stories_by_id, ids):
                entry = output_entry(story, self._masthead.base_url, full=full)
                shown[story.id] = (entry, story.changed_at)
        else:
            for article in await self._ledger.read(articles_by_id, ids):
                entry = article_entry(article, self._masthead.identity, full=full)
                shown[article.id] = (entry, article.arrived_at)
        seen: set[str] = set()
        found = []
        for item in listed:
            entry_and_time = shown.get(item.id)
            if entry_and_time is None or entry_and_time[0].id in seen:
                continue  # it ended meanwhile, or another article goes by the same id
            seen.add(entry_and_time[0].id)
            found.append(Holding(item.id, item.position, *entry_and_time))
        return tuple(found)

    async def close_archives(
        self,
        output: OutputSettings,
        progress: Progress,
        current: Sequence[Holding],
        now: datetime,
    ) -> Progress:
        """Close archives until what is in none of them fits the first document.

        An output that shows a changing choice has none.
        """
        sizes = {holding.id: entry_bytes(holding.entry) for holding in current}
        while not output.rolling:
            unarchived = await self._ledger.read(
                open_publications,
                output.name,
                progress.archived_to,
                output.limit + archive_size(output.limit),
                of_articles=not output.fold,
            )
            size = sum(sizes.get(item.id, 0) for item in unarchived)
            if not is_to_close(
                len(unarchived), size, limit=output.limit, max_bytes=output.max_bytes
            ):
                break
            progress = await self._close(output, progress, unarchived, now)
        return progress

    async def _close(
        self,
        output: OutputSettings,
        progress: Progress,
        unarchived: Sequence[Listed],
        now: datetime,
    ) -> Progress:
        eldest = unarchived[: archive_size(output.limit)]
        holdings = await self._holdings(output, eldest)
        fitting = split(holdings, lambda item: entry_bytes(item.entry), output.max_bytes)[0]
        to = eldest[-1].position if len(fitting) == len(holdings) else fitting[-1].position
        frozen = frozen_feed(output, [item.entry for item in reversed(fitting)], self._masthead)
        archive = ClosedArchive(
            number=progress.archives + 1,
            closed_at=now,
            full=output.content == "full",
            body=await asyncio.to_thread(freeze, frozen),
        )
        await self._ledger.write(
            close_archive,
            output.name,
            archive,
            after=progress.archived_to,
            to=to,
            kept=[item.id for item in eldest if item.position <= to],
        )
        return await self._ledger.read(output_progress_of, output.name)
