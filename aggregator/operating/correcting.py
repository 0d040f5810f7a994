"""An operator's word on what was folded: splitting, joining, exporting, folding anew."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from aggregator.clock import Clock, utc_now
from aggregator.config.settings import Settings
from aggregator.errors import ApplicationError
from aggregator.matching.model import Model
from aggregator.operating.opening import open_to_look
from aggregator.stages.fold.folding import commit_of, decide, rebuild_until
from aggregator.stages.fold.identity import authority_of, mint_identity
from storage.corrections import add_corrections, all_corrections, pending_corrections
from storage.database import Database
from storage.folding import commit_fold, folded_since, members_by_id, stories_of
from storage.installation import settle
from storage.publishing import story_by_slug
from storage.values.fold import FoldCommit, StoryState
from storage.values.publish import StoryView

_RECORDED = "Recorded. A running daemon follows within seconds; otherwise: newsfold update"
_EVER = datetime.min.replace(tzinfo=UTC)
_SHOWN = 20


def split_story(settings: Settings, slug: str, article_ids: Sequence[int]) -> str:
    """Say that ``article_ids`` do not belong to the story, but together.

    Raises:
        ApplicationError: no such story, or an article that is not in it, or nothing would be left.
    """
    with open_to_look(settings) as database:
        story = _story(database, slug)
        held = {article.id for article in story.articles}
        strangers = sorted(set(article_ids) - held)
        if strangers:
            raise ApplicationError(f"story {slug} does not hold article {strangers[0]}")
        staying = sorted(held - set(article_ids))
        if not staying:
            raise ApplicationError(f"story {slug} would be empty; leave at least one article")
        leaving = sorted(set(article_ids))
        apart = [(one, other, False) for one in staying for other in leaving]
        together = [(leaving[0], other, True) for other in leaving[1:]]
        add_corrections(database, apart + together, utc_now())
    return _RECORDED


def join_stories(settings: Settings, one: str, other: str) -> str:
    """Say that two stories tell one event.

    Raises:
        ApplicationError: no such story, or both are the same.
    """
    with open_to_look(settings) as database:
        first, second = _story(database, one), _story(database, other)
        if first.id == second.id:
            raise ApplicationError(f"{one} and {other} are one story already")
        pairs = [(first.lead.id, article.id, True) for article in second.articles]
        add_corrections(database, pairs, utc_now())
    return _RECORDED


def _story(database: Database, slug: str) -> StoryView:
    found = story_by_slug(database, slug)
    if found is None:
        raise ApplicationError(f"there is no story {slug}; its name stands in its page's address")
    return found


def labelled_articles(settings: Settings) -> Iterator[Mapping[str, object]]:
    """The articles of every corrected story, labelled with the story they are in now.

    Raises:
        ApplicationError: a correction was not obeyed yet, so that labels would contradict it.
    """
    with open_to_look(settings) as database:
        if pending := pending_corrections(database):
            waits = "correction waits" if len(pending) == 1 else "corrections wait"
            raise ApplicationError(f"{len(pending)} {waits} to be obeyed; first: newsfold update")
        said = all_corrections(database)
        ids = {article for one in said for article in (one.article_a, one.article_b)}
        stories = stories_of(database, [], sorted(ids))
        label = {member.id: story.slug for story in stories for member in story.members}
        for article in folded_since(database, _EVER):
            if article.id in label:
                yield {
                    "id": str(article.id),
                    "title": article.title,
                    "text": article.matching_text,
                    "url": article.url,
                    "publisher": article.publisher,
                    "published": article.published.isoformat() if article.published else None,
                    "lang": article.language,
                    "cluster": label[article.id],
                }


def refold_since(
    settings: Settings, begin: datetime, *, dry_run: bool, clock: Clock = utc_now
) -> str:
    """Fold anew what arrived since ``begin``; what changed, in words.

    Identities stay wherever the new stories overlap with the old.
    """
    with open_to_look(settings) as database:
        matcher, later = rebuild_until(database, Model.load(), begin)
        fresh = [replace(article, story_key=None) for article in later]
        now = clock()
        mint = partial(mint_identity, _authority(database, settings), now)
        commit = commit_of(database, decide(matcher, fresh), mint, now)
        before = stories_of(database, [], [article.id for article in later])
        report = _changes(database, before, commit)
        if not dry_run:
            commit_fold(database, commit)
    return f"{len(later)} articles folded anew. {report}"


def _authority(database: Database, settings: Settings) -> str:
    return settle(database, {"authority": authority_of(settings.server.base_url)})["authority"]


def _changes(database: Database, before: Sequence[StoryState], commit: FoldCommit) -> str:
    held = {story.id: {member.id for member in story.members} for story in before}
    new = [story for story in commit.stories if story.id is None]
    changed = [
        story
        for story in commit.stories
        if story.id is not None and set(story.members) != held.get(story.id)
    ]
    kept = len(commit.stories) - len(new) - len(changed)
    lines = [
        (
            f"{kept} stories stay as they are, {len(changed)} change, {len(new)} are new, "
            f"{len(commit.retired)} end in another."
        )
    ]
    for story in (*changed, *new)[:_SHOWN]:
        moved = sorted(set(story.members) - held.get(story.id or 0, set()))
        names = [member.title for member in members_by_id(database, moved).values()]
        lines.append(f'- "{story.title}" gains {len(moved)}: {"; ".join(names)[:200]}')
    return "\n".join(lines)
