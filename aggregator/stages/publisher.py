"""Every output's documents, rendered once per change and kept as bytes ready to send."""

import asyncio
import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import brotli

from aggregator.config.settings import OutputSettings, Settings
from aggregator.ledger import Ledger
from aggregator.stages.outputs import FORMATS, output_feed, story_filter
from feeds.model import OutputFeed
from feeds.writing.http_cache import IDENTITY, strong_etag
from feeds.writing.output_values import MEDIA_TYPES
from feeds.writing.write_atom import render_atom
from feeds.writing.write_json import render_json
from feeds.writing.write_rss import render_rss
from storage.publishing import latest_stories, revision
from storage.values import StoryView

_RENDERERS: Mapping[str, Callable[[OutputFeed], bytes]] = {
    "atom": render_atom,
    "rss": render_rss,
    "json": render_json,
}
_BROTLI_QUALITY = 5  # the default of 11 is for what is compressed once and for all


@dataclass(frozen=True, slots=True)
class Document:
    """A rendered feed: its bytes and their entity tag in every coding, made once."""

    media_type: str
    last_modified: datetime
    codings: Mapping[str, tuple[bytes, str]]

    @property
    def body(self) -> bytes:
        """The document without a content coding."""
        return self.codings[IDENTITY][0]


def make_document(body: bytes, media_type: str, last_modified: datetime) -> Document:
    """Compress ``body`` in every coding served; the same bytes give the same document."""
    coded = {
        IDENTITY: body,
        "gzip": gzip.compress(body, 6, mtime=0),
        "br": brotli.compress(body, quality=_BROTLI_QUALITY),
    }
    return Document(
        media_type=media_type,
        last_modified=last_modified.replace(microsecond=0),
        codings={coding: (data, strong_etag(body, coding)) for coding, data in coded.items()},
    )


@dataclass(frozen=True, slots=True)
class Identity:
    """What the ids of outputs are minted from; settled at the first start and kept."""

    authority: str
    born: datetime

    def feed_id(self, name: str) -> str:
        """The lasting ``tag:`` URI of the output called ``name``."""
        return f"tag:{self.authority},{self.born:%Y-%m-%d}:feed/{name}"


class Publisher:
    """Holds the current documents. Readers get the last ones while new ones are being made."""

    def __init__(self, ledger: Ledger, settings: Settings, identity: Identity) -> None:
        self._ledger = ledger
        self._settings = settings
        self._identity = identity
        self._documents: dict[tuple[str, str], Document] = {}
        self._revision: object = None
        self._busy = asyncio.Lock()

    def document(self, name: str, form: str) -> Document | None:
        """The current document of an output, None where there is no such output."""
        return self._documents.get((name, form))

    async def refresh(self) -> bool:
        """Render again if any story changed; whether it did."""
        async with self._busy:
            current = await self._ledger.read(revision)
            if current == self._revision:
                return False
            for output in self._settings.outputs():
                stories = await self._ledger.read(latest_stories, story_filter(output))
                self._documents |= await asyncio.to_thread(self._render, output, stories)
            self._revision = current
            return True

    def _render(
        self, output: OutputSettings, stories: Sequence[StoryView]
    ) -> dict[tuple[str, str], Document]:
        feed = output_feed(
            output,
            stories,
            base_url=self._settings.server.base_url,
            site_title=self._settings.server.title,
            feed_id=self._identity.feed_id(output.name),
            born=self._identity.born,
            hubs=self._settings.server.hubs,
        )
        changed = max((story.changed_at for story in stories), default=self._identity.born)
        documents = {}
        for form in FORMATS:
            body = _RENDERERS[form](feed)
            before = self._documents.get((output.name, form))
            same = before is not None and before.body == body
            documents[output.name, form] = (
                before
                if before and same
                else make_document(body, f"{MEDIA_TYPES[form]}; charset=utf-8", changed)
            )
        return documents
