"""Every output's documents, rendered once per change and kept as bytes ready to send."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from aggregator.clock import Clock, utc_now
from aggregator.config.output_settings import OutputSettings
from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.stages.publish.catalogue import Catalogue, Holding
from aggregator.stages.publish.choosing import split
from aggregator.stages.publish.documents import Document, make_document, media_type, render_feed
from aggregator.stages.publish.masthead import Identity, masthead
from aggregator.stages.publish.outputs import FORMATS, page_feed
from aggregator.stages.publish.status_feed import ENTRIES, NAME, status_feed
from feeds.model import OutputFeed
from feeds.writing.entry_size import entry_bytes
from feeds.writing.http_cache import strong_etag
from storage.incidents import last_incident, latest_incidents
from storage.publishing import revision
from storage.renditions import settle_renditions
from storage.values.publish import Progress

_Key = tuple[int, str]
_NOTHING = Progress()


class Publisher:
    """Holds the current documents. Readers get the last ones while new ones are being made."""

    def __init__(
        self, ledger: Ledger, settings: Settings, identity: Identity, clock: Clock = utc_now
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self.identity = identity
        self.clock = clock
        self._masthead = masthead(settings, identity)
        self._catalogue = Catalogue(ledger, settings, identity)
        self._documents: dict[str, Mapping[_Key, Document]] = {}
        self._progress: dict[str, Progress] = {}
        self._stamps: dict[str, object] = {}
        self._story_ids: dict[str, tuple[int, ...]] = {}
        self.leads = True
        """Whether to move the outputs on; else another process does, and it is followed."""
        self._busy = asyncio.Lock()

    def document(self, name: str, form: str, page: int = 1) -> Document | None:
        """A page of the current document of an output, None where there is no such output."""
        return self._documents.get(name, {}).get((page, form))

    def pages(self, name: str) -> int:
        """How many pages the document of an output has; 0 where there is no such output."""
        return max((page for page, _ in self._documents.get(name, ())), default=0)

    def progress(self, name: str) -> Progress:
        """How far an output had come when its documents were made."""
        return self._progress.get(name, _NOTHING)

    def stamp(self, name: str) -> object:
        """Changes whenever what an output shows may have changed."""
        return self._stamps.get(name)

    def story_ids(self, name: str) -> tuple[int, ...]:
        """The stories that an output holds now, in its order; none of one that does not fold."""
        return self._story_ids.get(name, ())

    async def refresh(self) -> bool:
        """Render again what may have changed; whether there was anything."""
        async with self._busy:
            now = self.clock()
            current = await self._ledger.read(revision)
            refreshed = False
            for output in self._settings.outputs():
                # What waits for coverage, or grows too old, changes with time alone.
                timed = output.settle or output.max_age
                stamp = (current, now.replace(second=0, microsecond=0) if timed else None)
                progress = None if self.leads else await self._catalogue.progress(output)
                if self._stamps.get(output.name) != (stamp, self.leads, progress):
                    await self._refresh_output(output, progress, now)
                    self._stamps[output.name] = (stamp, self.leads, progress)
                    refreshed = True
            return await self._refresh_status(now) or refreshed

    async def _refresh_output(
        self, output: OutputSettings, progress: Progress | None, now: datetime
    ) -> None:
        """Render an output; with ``progress``, as far as another process has moved it on."""
        moved = progress or await self._catalogue.move_on(output, now)
        holdings = await self._catalogue.current(output, moved, now)
        if progress is None:
            moved = await self._catalogue.close_archives(output, moved, holdings, now)
        feeds = await asyncio.to_thread(self._feeds, output, holdings, moved)
        changed = max((item.changed_at for item in holdings), default=self._born)
        await self._settle(output.name, feeds, changed, now)
        self._progress[output.name] = moved
        self._story_ids[output.name] = tuple(item.id for item in holdings) if output.fold else ()

    def _feeds(
        self, output: OutputSettings, holdings: Sequence[Holding], progress: Progress
    ) -> list[OutputFeed]:
        entries = [holding.entry for holding in holdings]
        pages = split(entries, entry_bytes, output.max_bytes)
        return [
            page_feed(output, pages, number, self._masthead, archives=progress.archives)
            for number in range(1, len(pages) + 1)
        ]

    async def _refresh_status(self, now: datetime) -> bool:
        last = await self._ledger.read(last_incident)
        if self._stamps.get(NAME) == last:
            return False
        incidents = await self._ledger.read(latest_incidents, ENTRIES)
        changed = incidents[0].at if incidents else self._born
        await self._settle(NAME, [status_feed(incidents, self._masthead)], changed, now)
        self._stamps[NAME] = last
        return True

    @property
    def _born(self) -> datetime:
        return self._masthead.identity.born

    async def _settle(
        self, name: str, feeds: Sequence[OutputFeed], changed_at: datetime, now: datetime
    ) -> None:
        """Take ``feeds``, the pages of one output, for its documents from now on."""
        before = self._documents.get(name, {})
        bodies = await asyncio.to_thread(_bodies, feeds)
        digests = {key: strong_etag(body) for key, body in bodies.items()}
        if digests == {key: document.digest for key, document in before.items()}:
            return
        # The leading process writes down since when; where it has not yet, the other's guess is
        # the same but for what only the configuration changed.
        since = await self._ledger.write(
            settle_renditions, name, digests, changed_at, now, only_look=not self.leads
        )
        self._documents[name] = await asyncio.to_thread(_documents, bodies, since, before)


def _bodies(feeds: Sequence[OutputFeed]) -> dict[_Key, bytes]:
    return {
        (page, form): render_feed(feed, form)
        for page, feed in enumerate(feeds, 1)
        for form in FORMATS
    }


def _documents(
    bodies: Mapping[_Key, bytes],
    since: Mapping[_Key, datetime],
    before: Mapping[_Key, Document],
) -> dict[_Key, Document]:
    documents = {}
    for (page, form), body in bodies.items():
        kept = before.get((page, form))
        if kept is None or kept.body != body:
            kept = make_document(body, media_type(form), since[page, form])
        documents[page, form] = kept
    return documents
