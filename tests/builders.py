"""Values with sensible defaults, so that a test says only what it is about."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from feeds.model import FeedEntry
from storage.articles import claim_new, commit_reading
from storage.database import Database
from storage.folding import commit_fold, stories_of
from storage.polling import commit_polls, known_entries
from storage.publications import unjudged_stories
from storage.publishing import stories_by_id
from storage.sources import claim_due, sync_sources
from storage.values.extract import ArticleReading
from storage.values.fold import ArticleDecision, FoldCommit, StoryState, StoryWrite
from storage.values.poll import EntryWrite, PollCommit
from storage.values.publish import StoryFilter, StoryView
from storage.values.source import SourceConfig, SourceState

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ALL_STORIES = StoryFilter(limit=1000)


def source_config(name: str = "times", /, **changes: Any) -> SourceConfig:
    known = SourceConfig(
        url=f"https://{name}.example/feed.xml", name=name.title(), publisher=f"{name}.example"
    )
    return replace(known, **changes)


def feed_entry(guid: str = "a", **changes: Any) -> FeedEntry:
    url = f"https://times.example/{guid}"
    known = FeedEntry(
        guid=guid,
        url=url,
        canonical_url=url,
        title=f"Title of {guid}",
        summary_html=f"<p>Summary of {guid}</p>",
        content_html="",
        authors=("Ann Author",),
        categories=("World",),
        published=NOW - HOUR,
        updated=None,
        published_guessed=False,
        language="en",
        image=None,
        enclosures=(),
        content_hash=f"hash of {guid}",
    )
    return replace(known, **changes)


def entry_write(guid: str = "a", article_key: str | None = None, **changes: Any) -> EntryWrite:
    entry = feed_entry(guid, **changes)
    return EntryWrite(entry, article_key or entry.canonical_url or guid)


def poll_commit(source_id: int, *new: EntryWrite, at: datetime = NOW, **changes: Any) -> PollCommit:
    known = PollCommit(
        source_id=source_id,
        at=at,
        outcome="new" if new else "unchanged",
        next_poll_at=at + HOUR,
        schedule={},
        status=200,
        new=new,
    )
    return replace(known, **changes)


def article_reading(article_id: int, **changes: Any) -> ArticleReading:
    known = ArticleReading(
        article_id=article_id,
        title=f"Title {article_id}",
        outlet="Times",
        publisher="times.example",
        authors=("Ann Author",),
        categories=("World",),
        language="en",
        image=None,
        published=NOW - HOUR,
        published_guessed=False,
        agency=None,
        place=None,
        summary="A summary.",
        text="The text.",
        html="<p>The text.</p>",
        matching_text="the text",
        text_source="page",
        text_reasons=("the page has more",),
        text_hash=f"text hash {article_id}",
        wall=None,
    )
    return replace(known, **changes)


def decision(article_id: int, **changes: Any) -> ArticleDecision:
    known = ArticleDecision(article_id=article_id, copy_of=None, score=None, reason={})
    return replace(known, **changes)


def story_write(key: int, *members: int, **changes: Any) -> StoryWrite:
    known = StoryWrite(
        id=None,
        uri=f"tag:newsfold.example,2026-11-22:story/{key}",
        slug=f"story-{key}",
        key=key,
        first_article_id=members[0],
        lead_article_id=members[0],
        title=f"Story {key}",
        lead_text_hash="",
        language="en",
        outlets=len(members),
        published_at=NOW - HOUR,
        updated_at=NOW - HOUR,
        members=members,
    )
    return replace(known, **changes)


# --- ready-made states of a database ----------------------------------------------------------


def add_sources(db: Database, *configs: SourceConfig, now: datetime = NOW) -> list[SourceState]:
    """Configure these and no others, in the order given."""
    sync_sources(db, configs, now)
    claimed = {source.url: source for source in claim_due(db, now, now, limit=1000)}
    return [claimed[config.url] for config in configs]


def add_source(db: Database, **changes: Any) -> SourceState:
    return add_sources(db, source_config(**changes))[0]


def commit_poll(db: Database, commit: PollCommit) -> None:
    commit_polls(db, [commit])


def latest_stories(db: Database, wanted: StoryFilter = ALL_STORIES) -> tuple[StoryView, ...]:
    """Living stories that ``wanted`` admits, the one first seen last at the top."""
    found = unjudged_stories(db, "an output", wanted, None, timedelta(0))
    return stories_by_id(db, found.ids[::-1])


def add_articles(db: Database, source_id: int, *guids: str, at: datetime = NOW) -> list[int]:
    """New articles of a source, claimed by nobody; their ids in the order given."""
    commit_poll(db, poll_commit(source_id, *(entry_write(guid) for guid in guids), at=at))
    found = {a.url: a.id for a in claim_new(db, at, at, limit=1000)}
    return [found[f"https://times.example/{guid}"] for guid in guids]


def read_articles(db: Database, *ids: int, at: datetime = NOW, **changes: Any) -> None:
    """Read these articles; ``changes`` apply to each."""
    for article in claim_new(db, at, at, limit=1000):
        if article.id in ids:
            commit_reading(db, article_reading(article.id, version=article.version, **changes))


def add_story(
    db: Database, key: int, *members: int, at: datetime = NOW, **changes: Any
) -> StoryState:
    """Fold these articles into a story of their own."""
    fold(db, story_write(key, *members, **changes), at=at)
    (story,) = stories_of(db, [key], [])
    return story


def fold(
    db: Database, *stories: StoryWrite, at: datetime = NOW, retired: Mapping[int, int] | None = None
) -> None:
    """Decide on every member of ``stories`` and write them."""
    decisions = tuple(decision(member) for story in stories for member in story.members)
    commit_fold(db, FoldCommit(at=at, decisions=decisions, stories=stories, retired=retired or {}))


def as_write(story: StoryState, **changes: Any) -> StoryWrite:
    """``story`` again, changed."""
    known = story_write(
        story.key,
        *(member.id for member in story.members),
        id=story.id,
        uri=story.uri,
        slug=story.slug,
        first_article_id=story.first_article_id,
        lead_article_id=story.lead_article_id,
        title=story.title,
        published_at=story.published_at,
        updated_at=story.updated_at,
    )
    return replace(known, **changes)


def known_hashes(db: Database, source_id: int, guids: Iterable[str]) -> dict[str, str]:
    """The content hash of each of ``guids`` that the source has shown before."""
    return {g: known.content_hash for g, known in known_entries(db, source_id, guids).items()}
