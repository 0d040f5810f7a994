"""Stories as people see them, and how far an output has got."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ArticleView:
    """An article as readers see it. The texts are empty except for a lead's."""

    id: int
    url: str | None
    title: str
    outlet: str
    publisher: str
    source_id: int
    source_url: str
    source_title: str
    source_site_url: str | None
    source_icon: str | None
    source_rights: str | None
    category: str | None
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    language: str | None
    image: str | None
    published: datetime | None
    arrived_at: datetime
    copy_of: int | None
    score: float | None
    reason: Mapping[str, Any]
    text_source: str | None
    agency: str | None
    summary: str = ""
    text: str = ""
    html: str = ""
    guid: str = ""
    """Its source's own id of it. Empty except where an article is shown by itself."""


@dataclass(frozen=True, slots=True)
class StoryView:
    """A story as readers see it, its lead first."""

    id: int
    uri: str
    slug: str
    title: str
    language: str | None
    outlets: int
    published_at: datetime
    updated_at: datetime
    created_at: datetime
    changed_at: datetime
    articles: tuple[ArticleView, ...]

    @property
    def lead(self) -> ArticleView:
        """The article whose title and text the story shows."""
        return self.articles[0]


@dataclass(frozen=True, slots=True)
class StoryFilter:
    """Which stories an output holds. Empty tuples mean any; ``limit`` is for a first look."""

    categories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    min_outlets: int = 1
    limit: int = 100
    sources: tuple[str, ...] = ()
    """Addresses of sources, one of which tells the story."""
    without_leads: tuple[str, ...] = ()
    """Addresses of sources, none of which leads it."""
    seen_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an output has come. ``admits`` names the filter that decided on its sequence."""

    admits: str = ""
    looked_at: datetime | None = None
    looked_to: int = 0
    next_position: int = 1
    archived_to: int = 0
    archives: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """What an output published, in short: enough to choose by. ``source_id`` is the lead's."""

    id: int
    position: int
    source_id: int | None
    outlets: int


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of what an output published is asked for: the ``newest`` so many.

    They are looked for behind position ``after``, among what was published ``since``, is told in
    one of ``categories`` and in one of ``languages``.
    """

    newest: int
    after: int = 0
    since: datetime | None = None
    categories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wording:
    """What an item says, for filters by words."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class ClosedArchive:
    """A closed archive: its frozen entries, and whether they are whole articles."""

    number: int
    closed_at: datetime
    full: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident as subscribers of the source health feed see it."""

    id: int
    at: datetime
    kind: str
    name: str
    feed_url: str
    detail: str
