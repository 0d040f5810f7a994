"""The fold stage: one writer, articles in order, every decision with its reason.

The matcher's index is memory only. Whenever memory might be ahead of the database (a commit
failed, a correction came) it is thrown away and rebuilt from there.
"""

from datetime import timedelta

BATCH = 200
PATIENCE = timedelta(seconds=60)
"""How long an article waits for those that arrived before it to be read."""


@dataclass(frozen=True, slots=True)
class _Decided:
    """What the matcher said of a batch: groups of articles, and what to record."""

    groups: dict[int, int]
    decisions: dict[int, ArticleDecision]


class Folder:
    """Folds batches of articles into stories. ``authority`` is what new identities name."""

    def __init__(
        self,
        ledger: Ledger,
        model: Model,
        mint: Callable[[datetime], tuple[str, str]],
        clock: Clock,
        tally: Tally,
    ) -> None:
        self._ledger = ledger
        self._model = model
        self._mint = mint
        self._clock = clock
        self._tally = tally
        self._matcher: Matcher | None = None

    async def claim(self, _limit: int) -> Sequence[tuple[FoldArticle, ...]]:
        """The next batch, as one piece of work."""
        batch = await self._ledger.read(waiting_to_fold, self._clock(), PATIENCE, BATCH)
        return (batch,) if batch else ()

    async def fold(self, batch: tuple[FoldArticle, ...]) -> None:
        """Decide a batch and write the outcome in one transaction."""
        try:
            matcher = self._matcher or await self._ledger.read(rebuild, self._model)
            self._matcher = None  # until the database has caught up, memory is ahead of it
            decided = await asyncio.to_thread(_decide, matcher, batch)
            await self._write(batch, decided)
            self._matcher = matcher
        finally:
            self._tally.articles_folded(len(batch))

    async def _write(self, batch: Sequence[FoldArticle], decided: _Decided) -> None:
        now = self._clock()
        ids = list({*decided.decisions, *(article.id for article in batch)})
        before = await self._ledger.read(stories_of, list(set(decided.groups.values())), ids)
        members = {m.id: m for story in before for m in story.members}
        members |= await self._ledger.read(members_by_id, ids)
        group_of = {m.id: story.key for story in before for m in story.members} | decided.groups
        present = [_as_decided(member, decided) for member in members.values()]
        result = regroup(before, group_of, present, self._minting(now), now)
        decisions = tuple(decided.decisions.values())
        await self._ledger.write(
            commit_fold, FoldCommit(now, decisions, result.stories, result.retired)
        )

    def _minting(self, now: datetime) -> Mint:
        return lambda: self._mint(now)


def rebuild(database: Database, model: Model) -> Matcher:
    """The matcher as the database remembers it."""
    matcher = Matcher(model)
    for article in folded_since(database, datetime.min.replace(tzinfo=UTC)):
        if article.story_key is not None:
            evidence = tuple(Evidence(*item) for item in article.evidence)
            matcher.restore(_document(article), article.story_key, article.copy_of, evidence)
    return matcher


def _decide(matcher: Matcher, batch: Sequence[FoldArticle]) -> _Decided:
    groups: dict[int, int] = {}
    decisions: dict[int, ArticleDecision] = {}
    for article in batch:
        if article.story_key is not None:  # folded before; its text changed, not its place
            decisions[article.id] = _as_before(article)
            continue
        result = matcher.add(_document(article))
        groups[article.id] = result.decision.story
        decisions[article.id] = _recorded(result.decision)
        for move in result.moves:
            groups[move.id] = move.story
            decisions[move.id] = _moved(move, decisions.get(move.id))
    return _Decided(groups, decisions)
