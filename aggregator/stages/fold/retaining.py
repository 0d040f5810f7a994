"""Retention: what is too old or too much is let go, in small steps between batches of folding.

A round, each hour: the matcher's memory is moved up, then each source's old articles go, then what
is too much in all, archives, counts, and what need not be remembered any more of things dropped; at
the end free pages go back to the disk. Each step is one short transaction. Nobody folds meanwhile:
so no story changes between the decision and the deed.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime

import structlog

from aggregator.clock import Clock, Steady, steady_seconds
from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.stages.fold.retention_rules import AWHILE, Keep, Trust, choose_going
from aggregator.stages.fold.stories import copies_among, independent_outlets
from storage.chunks import chunks
from storage.dropped import SLICES, forget_articles, forget_entries
from storage.duties import ALONE
from storage.folding import stories_of
from storage.retention import (
    Drop,
    OldArticle,
    StoryCounts,
    commit_drop,
    drop_archives,
    first_matched,
    forget_days,
    match_from,
    newest_kept,
    newest_kept_of,
    old_articles,
    old_articles_of,
    old_stories,
    shrink,
    source_ids,
)
from storage.values.fold import StoryState

BATCH = 100
"""Articles that go in one transaction."""
_WORK, _LOOKS = 400, 100
"""Articles let go, and looks taken, between two batches of folding."""
_PAGES = 500
_SOURCES = 50
_log = structlog.get_logger()


class Retention:
    """Lets go of what the settings say. One for each database: where the folder is."""

    def __init__(
        self, ledger: Ledger, settings: Settings, clock: Clock, steady: Steady = steady_seconds
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._steady = steady
        rules = settings.retention
        self._all = Keep(rules.max_age or None, rules.max_articles or None)
        self._each = Keep(self._all.max_age, rules.max_articles_per_source or None)
        self._own = {
            source.url: self._each.but(source.max_age, source.max_articles)
            for source in settings.source
        }
        self._max_archives = rules.max_archives
        self._outputs = settings.outputs()
        self._trust = Trust.begin(clock(), steady())
        self._next_round = self._trust.steady_from
        self._round: AsyncIterator[int] | None = None
        self._term = ALONE
        self.memory_from = 0
        """The place in the order of folding that the matcher's memory was last moved up to."""

    def begin(self, term: int) -> None:
        """Work from now on under ``term`` of the duty to fold."""
        self._term = term
        self._round = None

    async def step(self) -> None:
        """Take a few steps, if it is time."""
        before, self._trust = self._trust, self._trust.look(self._clock(), self._steady())
        if before.holds and not self._trust.holds:
            _log.warning(
                "retention",
                outcome="put off",
                why="the clock was set forward: for a day nothing is dropped for its age",
            )
            self._round = None
        if self._round is None and self._steady() >= self._next_round:
            self._next_round = self._steady() + AWHILE.total_seconds()
            self._round = self._steps()
        done = looks = 0
        while self._round is not None and done < _WORK and looks < _LOOKS:
            work = await anext(self._round, None)
            if work is None:
                self._round = None
                return
            done += work
            looks += 1

    async def everything(self) -> int:
        """A whole round at once; how much went."""
        return sum([work async for work in self._steps()])

    async def _steps(self) -> AsyncIterator[int]:
        """A round. Each step yields how many articles went."""
        now = self._clock()
        until = self._all.until(now) if self._trust.holds else None
        beyond = 0
        if self._all.max_articles is not None:
            beyond = await self._ledger.read(newest_kept, self._all.max_articles)
        known = await self._ledger.read(source_ids)
        dropped = 0
        for part in (
            self._remember_less(until, beyond),
            self._drop_old(known, now),
            self._drop_surplus(beyond),
            self._drop_archives(until),
            self._forget([number for number, _ in known], now),
            self._shrink(),
        ):
            async for work in part:
                dropped += work
                yield work
        if dropped:
            _log.info("retention", outcome="dropped", articles=dropped)

    async def _remember_less(self, until: datetime | None, beyond: int) -> AsyncIterator[int]:
        """Move the matcher's memory up: what is old for everybody is compared with no more."""
        while True:
            places = await self._ledger.read(first_matched, BATCH)
            old = 0
            for place in places:
                if not (place.id <= beyond or (until is not None and place.arrived_at <= until)):
                    break
                old = place.fold_order
            if old:
                await self._ledger.write(match_from, old)
                self.memory_from = old
            if not places or old != places[-1].fold_order:
                return
            yield 0

    async def _drop_old(
        self, known: Sequence[tuple[int, str]], now: datetime
    ) -> AsyncIterator[int]:
        for number, url in known:
            async for work in self._drop_of(number, self._own.get(url, self._each), now):
                yield work

    async def _drop_of(self, source_id: int, keep: Keep, now: datetime) -> AsyncIterator[int]:
        """What of a source is too old, or too much of it."""
        aged = keep.until(now) if self._trust.holds else None
        counted = None
        if keep.max_articles is not None:
            counted = await self._ledger.read(newest_kept_of, source_id, keep.max_articles)
        for until, for_age in ((aged, True), (counted, False)):
            after = None
            while until is not None:
                old = await self._ledger.read(old_articles_of, source_id, until, after, BATCH)
                yield await self._drop(old, for_age=for_age)
                if len(old) < BATCH:
                    break
                after = old[-1].arrived_at, old[-1].id

    async def _drop_surplus(self, beyond: int) -> AsyncIterator[int]:
        after = 0
        while after < beyond:
            old = await self._ledger.read(old_articles, beyond, after, BATCH)
            yield await self._drop(old, for_age=False)
            if len(old) < BATCH:
                return
            after = old[-1].id

    async def _drop(self, old: Collection[OldArticle], *, for_age: bool) -> int:
        ids = sorted({one.story_id for one in old if one.story_id is not None})
        stories = await self._ledger.read(old_stories, ids) if ids else {}
        going = choose_going(old, stories, for_age=for_age)
        if not going.articles:
            return 0
        states = await self._ledger.read(stories_of, [], going.articles) if going.shrunk else ()
        drop = Drop(
            at=self._clock(),
            articles=going.articles,
            stories=going.stories,
            shrunk=_counts([s for s in states if s.id in going.shrunk], set(going.articles)),
            of_stories=[output.name for output in self._outputs if output.fold],
            of_articles=[output.name for output in self._outputs if not output.fold],
            term=self._term,
        )
        await self._ledger.write(commit_drop, drop)
        return len(going.articles)

    async def _drop_archives(self, until: datetime | None) -> AsyncIterator[int]:
        for output in self._outputs:
            await self._ledger.write(drop_archives, output.name, self._max_archives, until)
            yield 0

    async def _shrink(self) -> AsyncIterator[int]:
        while await self._ledger.write(shrink, _PAGES):
            yield 0

    async def _forget(self, known: Sequence[int], now: datetime) -> AsyncIterator[int]:
        """What is kept beside articles: counts by day, and what was dropped long ago."""
        if not self._trust.holds:
            return
        await self._ledger.write(forget_days, now)
        yield 0
        for some in chunks(known, _SOURCES):
            await self._ledger.write(forget_entries, some)
            yield 0
        for part in range(SLICES):
            await self._ledger.write(forget_articles, part, now.date())
            yield 0


def _counts(states: Sequence[StoryState], going: Collection[int]) -> list[StoryCounts]:
    counts = []
    for state in states:
        left = [member for member in state.members if member.id not in going]
        counts.append(
            StoryCounts(state.id, len(left), independent_outlets(left), copies_among(left))
        )
    return counts
