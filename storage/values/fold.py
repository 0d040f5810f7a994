"""Articles to be folded, the stories they make, and what is written of both."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class FoldArticle:
    """An article as the matcher sees it, with what was decided of it before, if anything.

    ``published`` is None where the date is a guess. ``evidence`` and ``recurring`` are the
    matcher's own, opaque here. ``addresses`` identify its document: its key, and what its page
    says; ``fold_order`` is None where it was not folded yet.
    """

    id: int
    url: str | None
    title: str
    matching_text: str
    publisher: str
    language: str | None
    published: datetime | None
    arrived_at: datetime
    story_key: int | None = None
    copy_of: int | None = None
    score: float | None = None
    reason: Mapping[str, Any] = field(default_factory=dict)
    evidence: tuple[tuple[int, ...], ...] = ()
    recurring: bool = False
    never_fold: bool = False
    version: int = 0
    addresses: tuple[str, ...] = ()
    fold_order: int | None = None


@dataclass(frozen=True, slots=True)
class CorrectionRecord:
    """An operator's word on two articles."""

    id: int
    article_a: int
    article_b: int
    together: bool


@dataclass(frozen=True, slots=True)
class Member:
    """An article as the choice of a story's lead needs it. ``priority`` is its source's.

    ``original_url`` is where, on another site, its page says it appeared first.
    """

    id: int
    title: str
    outlet: str
    publisher: str
    language: str | None
    priority: int
    text_source: str
    text_length: int
    text_hash: str
    copy_of: int | None
    published: datetime | None
    arrived_at: datetime
    fold_order: int
    key: str = ""
    original_url: str | None = None


@dataclass(frozen=True, slots=True)
class StoryState:
    """A story as it stands, with its members in the order they were folded."""

    id: int
    uri: str
    slug: str
    key: int
    first_article_id: int
    lead_article_id: int
    title: str
    lead_text_hash: str
    published_at: datetime
    updated_at: datetime
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class ArticleDecision:
    """Where the folder put an article that came, and why.

    ``evidence`` and ``recurring`` are the matcher's own. ``version`` is that of the
    ``FoldArticle``; None stands for whichever there is now.
    """

    article_id: int
    copy_of: int | None
    score: float
    reason: Mapping[str, Any]
    evidence: tuple[tuple[int, ...], ...] = ()
    recurring: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True)
class ArticleMove:
    """A second look at an article that was folded before, and why."""

    article_id: int
    copy_of: int | None
    score: float
    reason: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoryWrite:
    """A story as it shall be. ``id`` is None for a new one. ``events`` are (kind, detail).

    ``rank`` is its place on the front page; higher is nearer to the top. ``latest_at`` is when it
    was last reported (None: when it was published).
    """

    id: int | None
    uri: str
    slug: str
    key: int
    first_article_id: int
    lead_article_id: int
    title: str
    lead_text_hash: str
    language: str | None
    outlets: int
    published_at: datetime
    updated_at: datetime
    members: tuple[int, ...]
    events: tuple[tuple[str, str], ...] = ()
    rank: float = 0.0
    copies: int = 0
    latest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FoldCommit:
    """Everything one step of folding changes.

    ``revised`` are articles (and versions) folded before whose text was read anew. ``retired`` maps
    a story's id to the position in ``stories`` of the one it became part of. ``corrections`` are
    followed with this. ``merged`` maps articles to those that they turned out to be.
    ``term`` is the duty's under which it was decided (storage/duties.py).
    """

    at: datetime
    decisions: tuple[ArticleDecision, ...] = ()
    moves: tuple[ArticleMove, ...] = ()
    revised: tuple[tuple[int, int], ...] = ()
    stories: tuple[StoryWrite, ...] = ()
    retired: Mapping[int, int] = field(default_factory=dict)
    corrections: tuple[int, ...] = ()
    merged: Mapping[int, int] = field(default_factory=dict)
    term: int | None = None
