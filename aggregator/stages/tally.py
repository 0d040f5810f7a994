"""What a pass did: counts, and the sources that failed. Shown as progress and as a summary."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from aggregator.metrics.counting import Metrics


@dataclass(slots=True)
class Tally:
    """Grows while the stages work. ``changed`` is called after every step.

    ``metrics`` are counted beside it, for as long as the process lives.
    """

    polled: int = 0
    entries: int = 0
    read: int = 0
    folded: int = 0
    changed: Callable[[], None] = lambda: None
    metrics: Metrics = field(default_factory=Metrics)
    _failing: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def failed(self) -> dict[str, str]:
        """What went wrong, by source: its name, and its address where others have the name too."""
        names = Counter(name for name, _ in self._failing.values())
        return {
            name if names[name] == 1 else f"{name} ({url})": error
            for url, (name, error) in self._failing.items()
        }

    def source_polled(self, url: str, entries: int) -> None:
        """A source answered with so many new or changed entries."""
        self._failing.pop(url, None)
        self.polled += 1
        self.entries += entries
        self.changed()

    def source_failed(self, url: str, name: str, error: str) -> None:
        """A source did not answer, or not with a feed."""
        self.polled += 1
        self._failing[url] = (name, error)
        self.changed()

    def article_read(self) -> None:
        """An article's text is settled."""
        self.read += 1
        self.changed()

    def articles_folded(self, count: int) -> None:
        """So many articles have their story."""
        self.folded += count
        self.changed()
