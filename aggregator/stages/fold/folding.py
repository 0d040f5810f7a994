"""The fold stage: one writer, articles in order, every decision with its reason.

The matcher's index is memory only. Whenever memory might be ahead of the database (a commit
failed, a correction came) it is thrown away and rebuilt from there.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

import structlog

from aggregator.clock import Clock
from aggregator.ledger import Ledger
from aggregator.matching.corrections import Correction
from aggregator.matching.decisions import Decision, Evidence, Move
from aggregator.matching.document import Document
from aggregator.matching.matcher import Limits, Matcher
from aggregator.matching.model import Model
from aggregator.matching.reasons import Reason
from aggregator.stages.extract.one_document import Merge, sort_out
from aggregator.stages.fold.retaining import Retention
from aggregator.stages.fold.stories import Mint, regroup
from aggregator.stages.tally import Tally
from storage.corrections import all_corrections, pending_corrections
from storage.database import Database
from storage.duties import ALONE
from storage.folding import (
    commit_fold,
    ended_stories_of,
    folded_since,
    members_by_id,
    stories_of,
    twins_of,
    waiting_to_fold,
)
from storage.retention import first_matched
from storage.values.fold import (
    ArticleDecision,
    ArticleMove,
    CorrectionRecord,
    FoldArticle,
    FoldCommit,
    Member,
)

BATCH = 200
PATIENCE = timedelta(seconds=60)
"""How long an article waits for those that arrived before it to be read."""
_log = structlog.get_logger()
_EVER = datetime.min.replace(tzinfo=UTC)


class Folder:
    """Folds batches of articles into stories. ``mint`` makes identities, given the time.

    Where there is a ``retention``, it works in between.
    """

    def __init__(
        self,
        ledger: Ledger,
        model: Model,
        mint: Callable[[datetime], tuple[str, str]],
        clock: Clock,
        tally: Tally,
        *,
        retention: Retention | None = None,
    ) -> None:
        self._retention = retention
        self._memory_from = 0
        self._ledger = ledger
        self._model = model
        self._mint = mint
        self._clock = clock
        self._tally = tally
        self._matcher: Matcher | None = None
        self._term = ALONE

    def begin(self, term: int) -> None:
        """Fold from now on under ``term`` of the duty, from what the database says."""
        self._matcher = None
        self._term = term
        if self._retention is not None:
            self._retention.begin(term)

    async def claim(self, _limit: int) -> Sequence[tuple[FoldArticle, ...]]:
        """Follow what operators said meanwhile; then the next batch, as one piece of work.

        In between, what is too old goes: here nobody folds.
        """
        await self._retain()
        if pending := await self._ledger.read(pending_corrections):
            await self._correct(pending)
        batch = await self._ledger.read(waiting_to_fold, self._clock(), PATIENCE, BATCH)
        return (batch,) if batch else ()

    async def fold(self, batch: tuple[FoldArticle, ...]) -> None:
        """Decide a batch and write the outcome in one transaction."""
        found = sort_out(batch, await self._ledger.read(twins_of, batch))
        async with self._at_work() as matcher:
            decided = await asyncio.to_thread(decide, matcher, found.batch, found.merges)
            commit = await self._commit(decided)
            await self._ledger.write(commit_fold, commit)
        report(found.merges, commit)
        self._tally.metrics.folded(commit)
        self._tally.articles_folded(len(batch))

    async def _retain(self) -> None:
        if self._retention is None:
            return
        await self._retention.step()
        if self._matcher is not None and self._retention.memory_from != self._memory_from:
            first = await self._ledger.read(first_matched, 1)
            self._matcher.forget_before(first[0].id if first else None)
            self._memory_from = self._retention.memory_from

    async def _correct(self, pending: Sequence[CorrectionRecord]) -> None:
        async with self._at_work() as matcher:
            decided = Decided()
            for move in matcher.apply(map(_correction, pending)):
                _move(decided, move)
            commit = await self._commit(decided)
            done = tuple(one.id for one in pending)
            await self._ledger.write(commit_fold, replace(commit, corrections=done))
        _log.info(
            "corrected",
            outcome="corrected",
            corrections=len(pending),
            articles=len(decided.moves),
        )

    async def _commit(self, decided: "Decided") -> FoldCommit:
        now = self._clock()
        mint = partial(self._mint, now)
        commit = await self._ledger.read(commit_of, decided, mint, now)
        return replace(commit, term=self._term)

    @asynccontextmanager
    async def _at_work(self) -> AsyncIterator[Matcher]:
        """The matcher; thrown away where the block fails, since memory is then ahead."""
        matcher, self._matcher = self._matcher, None
        if matcher is None:
            matcher = await self._ledger.read(rebuild, self._model)
        yield matcher
        self._matcher = matcher


def report(merges: Iterable[Merge], commit: FoldCommit) -> None:
    """Log what became of each article."""
    for merge in merges:
        _log.debug("folded", article=merge.gone.id, outcome="same article", into=merge.stays.id)
    stories = {member: story for story in commit.stories for member in story.members}
    for decision in commit.decisions:
        story = stories.get(decision.article_id)
        outcome = "joined" if story and story.id is not None else "founded"
        _log.debug(
            "folded",
            article=decision.article_id,
            story=story and story.slug,
            outcome="copy" if decision.copy_of is not None else outcome,
        )


def commit_of(database: Database, decided: "Decided", mint: Mint, now: datetime) -> FoldCommit:
    """What to write for what the matcher said: groups become stories with identities."""
    ids = [*decided.decisions, *decided.moves, *(article_id for article_id, _ in decided.revised)]
    ids += [one for gone in decided.left for one in (gone, decided.merged[gone])]
    before = stories_of(database, list(set(decided.groups.values())), ids)
    members = {m.id: m for story in before for m in story.members}
    members |= members_by_id(database, ids)
    groups = {m.id: story.key for story in before for m in story.members}
    # The matcher may still know what retention has dropped.
    groups |= {number: key for number, key in decided.groups.items() if number in members}
    for gone in decided.left:  # its story, if it has no other article, ends where it went
        groups[gone] = groups[decided.merged[gone]]
        members.pop(gone, None)
    regrouping = regroup(
        before,
        ended_stories_of(database, sorted(members)),
        groups,
        [decided.member(member) for member in members.values()],
        mint=mint,
        now=now,
    )
    return FoldCommit(
        at=now,
        decisions=tuple(decided.decisions.values()),
        moves=tuple(decided.moves.values()),
        revised=tuple(decided.revised),
        stories=regrouping.stories,
        retired=regrouping.retired,
        merged=decided.merged,
    )


def rebuild(database: Database, model: Model) -> Matcher:
    """The matcher as the database remembers it; no more is read than its window holds."""
    return rebuild_from(database, model, folded_since(database, _EVER, Limits().documents))


def rebuild_until(
    database: Database, model: Model, moment: datetime
) -> tuple[Matcher, list[FoldArticle]]:
    """The matcher as it was before ``moment``, and what arrived since, in order of folding."""
    later: list[FoldArticle] = []

    def earlier() -> Iterator[FoldArticle]:
        for article in folded_since(database, _EVER):
            if article.arrived_at >= moment:
                later.append(article)
            else:
                yield article

    return rebuild_from(database, model, earlier()), later


def rebuild_from(database: Database, model: Model, folded: Iterable[FoldArticle]) -> Matcher:
    """A matcher that knows these articles, in order of folding, as they were decided."""
    matcher = Matcher(model, corrections=map(_correction, all_corrections(database)))
    left = iter(folded)
    while some := list(islice(left, BATCH)):
        _restore(matcher, [article for article in some if article.story_key is not None])
    return matcher


def _restore(matcher: Matcher, articles: Sequence[FoldArticle]) -> None:
    documents = [document_of(article) for article in articles]
    matcher.prepare(documents)
    for article, document in zip(articles, documents, strict=True):
        decision = Decision(
            id=article.id,
            story=article.story_key or 0,
            copy_of=article.copy_of,
            evidence=tuple(Evidence(*item) for item in article.evidence),
            recurring=article.recurring,
        )
        matcher.restore(document, decision)


@dataclass(slots=True)
class Decided:
    """What the matcher said of a batch, by article: its group, and what to record of it."""

    groups: dict[int, int] = field(default_factory=dict)
    decisions: dict[int, ArticleDecision] = field(default_factory=dict)
    moves: dict[int, ArticleMove] = field(default_factory=dict)
    revised: list[tuple[int, int]] = field(default_factory=list)
    merged: dict[int, int] = field(default_factory=dict)
    left: list[int] = field(default_factory=list)
    """Those of ``merged`` that had a place already."""

    def member(self, member: Member) -> Member:
        """``member`` as it will be once this is written."""
        if move := self.moves.get(member.id):
            return replace(member, copy_of=move.copy_of)
        decision = self.decisions.get(member.id)
        if decision is None:
            return member
        place = list(self.decisions).index(member.id)
        return replace(member, copy_of=decision.copy_of, fold_order=member.fold_order + place)


def decide(matcher: Matcher, batch: Sequence[FoldArticle], merges: Sequence[Merge] = ()) -> Decided:
    """Where the matcher puts each article of a batch; those that are others leave it."""
    decided = Decided(merged={merge.gone.id: merge.stays.id for merge in merges})
    for merge in merges:
        if merge.gone.story_key is not None:
            decided.left.append(merge.gone.id)
            matcher.forget(merge.gone.id)
    documents = {one.id: document_of(one) for one in batch if one.story_key is None}
    matcher.prepare(list(documents.values()))
    for article in batch:
        if article.id not in documents:  # its text changed, not its place
            decided.revised.append((article.id, article.version))
            continue
        result = matcher.add(documents[article.id])
        decision = result.decision
        decided.groups[article.id] = decision.story
        decided.decisions[article.id] = ArticleDecision(
            article.id,
            decision.copy_of,
            decision.score,
            _recorded(decision.reason),
            tuple((e.id, e.log_odds, e.cosine) for e in decision.evidence),
            recurring=decision.recurring,
            version=article.version,
        )
        for move in result.moves:
            _move(decided, move)
    return decided


def _move(decided: Decided, move: Move) -> None:
    decided.groups[move.id] = move.story
    reason = _recorded(move.reason)
    if fresh := decided.decisions.get(move.id):
        decided.decisions[move.id] = replace(
            fresh, copy_of=move.copy_of, score=move.score, reason=reason
        )
    else:
        decided.moves[move.id] = ArticleMove(move.id, move.copy_of, move.score, reason)


def _recorded(reason: Reason) -> dict[str, Any]:
    return asdict(reason)


def _correction(one: CorrectionRecord) -> Correction:
    return Correction(one.article_a, one.article_b, one.together)


def document_of(article: FoldArticle) -> Document:
    """What the matcher is told of an article."""
    return Document(
        id=article.id,
        title=article.title,
        text=article.matching_text,
        url=article.url,
        publisher=article.publisher,
        published=article.published,
        arrived=article.arrived_at,
        language=article.language,
        alone=article.never_fold,
    )
