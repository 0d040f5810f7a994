"""What a pass did: counts, and the sources that failed. Shown as progress and as a summary."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Grows while the stages work. ``changed`` is called after every step."""

    polled: int = 0
    entries: int = 0
    read: int = 0
    folded: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    changed: Callable[[], None] = lambda: None

    def source_polled(self, entries: int) -> None:
        """A source answered with so many new or changed entries."""
        self.polled += 1
        self.entries += entries
        self.changed()

    def source_failed(self, name: str, error: str) -> None:
        """A source did not answer, or not with a feed."""
        self.polled += 1
        self.failed[name] = error
        self.changed()

    def article_read(self) -> None:
        """An article's text is settled."""
        self.read += 1
        self.changed()

    def articles_folded(self, count: int) -> None:
        """So many articles have their story."""
        self.folded += count
        self.changed()
