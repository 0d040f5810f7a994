"""Documents made when somebody asks: archives, single stories, and a part of an output.

Bounded: a few at a time, of the newest entries only, and what was asked for last is kept.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from aggregator.config.output_settings import OutputSettings
from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.stages.publish.archives import thaw
from aggregator.stages.publish.catalogue import Asked, Catalogue
from aggregator.stages.publish.choosing import split
from aggregator.stages.publish.documents import Document, RecentDocuments, feed_document
from aggregator.stages.publish.masthead import masthead
from aggregator.stages.publish.outputs import archive_feed, frozen_feed, page_feed, story_feed
from aggregator.stages.publish.publisher import Publisher
from feeds.model import OutputFeed
from feeds.writing.entry_size import entry_bytes
from storage.publications import archive_of, eldest_archive
from storage.publishing import articles_by_id, revision, story_by_slug
from storage.values.publish import StoryView

_KEPT = 32
_AT_ONCE = 2
_MOST_ARTICLES = 200


@dataclass(frozen=True, slots=True)
class StoryDocument:
    """The feed of a story. ``slug`` is another than was asked for where it became part of it."""

    slug: str
    document: Document


@dataclass(frozen=True, slots=True)
class ArchivedFeed:
    """A closed archive, and since when it is."""

    feed: OutputFeed
    closed_at: datetime


class Requested:
    """Makes documents on request, from what the publisher published."""

    def __init__(self, ledger: Ledger, settings: Settings, publisher: Publisher) -> None:
        self._ledger = ledger
        self._publisher = publisher
        self._masthead = masthead(settings, publisher.identity)
        self._catalogue = Catalogue(ledger, settings, publisher.identity)
        self._recent = RecentDocuments(_KEPT)
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def part(
        self, output: OutputSettings, form: str, page: int, asked: Asked
    ) -> Document | None:
        """A page of what ``asked`` is of ``output``; None where there is no such page."""
        key, stamp = (output.name, form, page, asked), self._publisher.stamp(output.name)
        async with self._turn:
            if kept := self._recent.get(key, stamp):
                return kept
            progress = self._publisher.progress(output.name)
            holdings = await self._catalogue.current(
                output, progress, self._publisher.clock(), asked
            )
            pages = split([item.entry for item in holdings], entry_bytes, output.max_bytes)
            whole = self._publisher.document(output.name, form)
            if page > len(pages) or whole is None:
                return None
            feed = page_feed(output, pages, page, self._masthead, asked=query_of(asked))
            changed = max([item.changed_at for item in holdings] + [whole.last_modified])
            document = await asyncio.to_thread(feed_document, feed, form, changed)
            return self._recent.keep(key, stamp, document)

    async def archive(self, output: OutputSettings, number: int, form: str) -> Document | None:
        """A closed archive of ``output``, None where there is none that may be shown."""
        key = (output.name, "archive", number, form)
        async with self._turn:
            if kept := self._recent.get(key, output):
                return kept
            found = await self.archived(output, number)
            if found is None:
                return None
            document = await asyncio.to_thread(feed_document, found.feed, form, found.closed_at)
            return self._recent.keep(key, output, document)

    async def archived(self, output: OutputSettings, number: int) -> ArchivedFeed | None:
        """The same before it has a format."""
        archive = await self._ledger.read(archive_of, output.name, number)
        if archive is None:
            return await self._dropped(output, number)
        if archive.full and not (output.token or output.republish):
            return None  # whole articles stay guarded, whatever the output shows today
        frozen = await asyncio.to_thread(thaw, archive.body)
        feed = archive_feed(output, frozen, number, self._masthead)
        return ArchivedFeed(feed, archive.closed_at)

    async def _dropped(self, output: OutputSettings, number: int) -> ArchivedFeed | None:
        """An empty archive in place of one that retention dropped: here the chain ends.

        So whoever follows ``prev-archive`` comes to an end and not to an error.
        """
        eldest = await self._ledger.read(eldest_archive, output.name)
        if eldest is None or not 0 < number < eldest.number:
            return None
        nothing = frozen_feed(output, (), self._masthead)
        feed = archive_feed(output, nothing, number, self._masthead, eldest=number)
        return ArchivedFeed(feed, eldest.closed_at)

    async def story(self, slug: str, form: str) -> StoryDocument | None:
        """The feed of the story at ``slug``, or of the one that it became part of."""
        story = await self._ledger.read(story_by_slug, slug)
        if story is None:
            return None
        key, stamp = ("story", story.slug, form), await self._ledger.read(revision)
        async with self._turn:
            document = self._recent.get(key, stamp)
            if document is None:
                feed = await self.told(story)
                document = await asyncio.to_thread(feed_document, feed, form, story.changed_at)
                self._recent.keep(key, stamp, document)
        return StoryDocument(story.slug, document)

    async def told(self, story: StoryView) -> OutputFeed:
        """The feed of ``story`` before it has a format: its latest articles."""
        ids = sorted(article.id for article in story.articles)[-_MOST_ARTICLES:]
        return story_feed(story, await self._ledger.read(articles_by_id, ids), self._masthead)


def query_of(asked: Asked) -> str:
    """``asked`` as a query, the same for the same."""
    parts = [("q", " ".join(asked.words))] if asked.words else []
    parts += [("category", name) for name in asked.categories]
    parts += [("language", name) for name in asked.languages]
    parts += [("limit", str(asked.limit))] if asked.limit else []
    return urlencode(parts)
