"""Feed documents as bytes ready to send: written, compressed and tagged once."""

import gzip
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime

import brotli

from feeds.model import OutputFeed
from feeds.writing.http_cache import IDENTITY, strong_etag
from feeds.writing.output_values import MEDIA_TYPES
from feeds.writing.write_atom import render_atom
from feeds.writing.write_json import render_json
from feeds.writing.write_rss import render_rss

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

    @property
    def digest(self) -> str:
        """Names the bytes."""
        return self.codings[IDENTITY][1]


def render_feed(feed: OutputFeed, form: str) -> bytes:
    """``feed`` in the format ``form``."""
    return _RENDERERS[form](feed)


def media_type(form: str) -> str:
    """The media type of the format ``form``, as ``Content-Type`` has it."""
    return f"{MEDIA_TYPES[form]}; charset=utf-8"


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


def feed_document(feed: OutputFeed, form: str, last_modified: datetime) -> Document:
    """``feed`` in the format ``form``, ready to send."""
    return make_document(render_feed(feed, form), media_type(form), last_modified)


class RecentDocuments:
    """The documents that were asked for last, as long as what they were made from stands."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, tuple[object, Document]] = OrderedDict()

    def get(self, key: Hashable, stamp: object) -> Document | None:
        """The document kept under ``key``, if it was made at ``stamp``."""
        made_at, document = self._kept.get(key, (None, None))
        if document is None or made_at != stamp:
            return None
        self._kept.move_to_end(key)
        return document

    def keep(self, key: Hashable, stamp: object, document: Document) -> Document:
        """Keep ``document``, and let go of the one that was not asked for longest."""
        self._kept[key] = (stamp, document)
        self._kept.move_to_end(key)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return document
