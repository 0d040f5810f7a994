"""What the matcher is told about one article, and nothing else."""

from dataclasses import dataclass
from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Document:
    """One article as the matcher sees it.

    ``id`` is unique within one matcher. ``text`` is the matching text (no captions, credits or
    datelines). ``published`` is None where the date is missing or only guessed: such an article
    is never judged by its date. ``arrived`` orders the stream and ages the window; both are aware
    UTC. ``source`` is the feed or publisher that recurring titles are counted under; ``language``
    a BCP 47 tag. One that is ``alone`` is a story of its own, as is said of it.
    """

    id: int
    title: str = ""
    text: str = ""
    url: str | None = None
    publisher: str | None = None
    published: datetime | None = None
    arrived: datetime = EPOCH
    language: str | None = None
    alone: bool = False
