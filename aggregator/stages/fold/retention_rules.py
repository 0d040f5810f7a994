"""What retention lets go, and when. Pure.

Each article has a time to stay, its source's or everybody's, and each source and the whole a number
of articles to keep. What is beyond either is old. An old article goes, except

- one that waits to be folded, and one that only a number would drop before it was ever folded:
  what was read is published first;
- the lead of a story that keeps other articles: a story's title, text and date never change because
  something was dropped.

A story goes with its last article.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.retention import OldArticle, OldStory

AWHILE = timedelta(hours=1)
"""How long after a start, and how often, one looks for what is old."""
LEAP = timedelta(hours=1)
"""A clock that goes so much further than time itself was set."""
DISTRUST = timedelta(hours=24)
"""How long nothing is dropped for its age after the clock was set forward."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long articles stay, and how many of each source. None: for ever, all of them."""

    max_age: timedelta | None
    max_articles: int | None

    def but(self, max_age: timedelta | None, max_articles: int | None) -> "Keep":
        """The same with a source's own settings, where it has any; 0 in these is for ever."""
        return Keep(
            self.max_age if max_age is None else max_age or None,
            self.max_articles if max_articles is None else max_articles or None,
        )

    def until(self, now: datetime) -> datetime | None:
        """What arrived by then is old for its age."""
        return None if self.max_age is None else now - self.max_age


@dataclass(frozen=True, slots=True)
class Going:
    """What is let go of some old articles: articles, and stories whole."""

    articles: tuple[int, ...]
    stories: tuple[int, ...]
    shrunk: tuple[int, ...]
    """Stories that lose articles, and go on."""


def choose_going(
    old: Collection[OldArticle], stories: Mapping[int, OldStory], *, for_age: bool
) -> Going:
    """Which of ``old`` go. ``stories`` are those they are in."""
    may_go = [one for one in old if not one.waits and (one.was_folded or for_age)]
    losing = Counter(one.story_id for one in may_go)
    whole = {s.id for s in stories.values() if losing[s.id] == s.articles and not s.stays}
    leads = {s.lead_article_id for s in stories.values() if s.id not in whole}
    going = [one for one in may_go if one.id not in leads]
    touched = {one.story_id for one in going if one.story_id is not None}
    return Going(
        articles=tuple(sorted(one.id for one in going)),
        stories=tuple(sorted(whole)),
        shrunk=tuple(sorted(touched - whole)),
    )


@dataclass(frozen=True, slots=True)
class Trust:
    """Whether the clock can be believed: it went as far as time did since the last look.

    ``steady`` counts seconds that no setting of a clock changes; nothing goes for its age before
    ``steady_from``.
    """

    seen: datetime
    steady: float
    steady_from: float

    @classmethod
    def begin(cls, now: datetime, steady: float) -> "Trust":
        """At a start, when a machine's clock may still be about to be set right."""
        return cls(now, steady, steady + AWHILE.total_seconds())

    def look(self, now: datetime, steady: float) -> "Trust":
        """The trust after another look at both."""
        ahead = (now - self.seen).total_seconds() - (steady - self.steady)
        leap = LEAP.total_seconds()
        if ahead > leap:
            return Trust(now, steady, steady + DISTRUST.total_seconds())
        if ahead < -leap:  # set back, so as it should be
            return Trust(now, steady, min(self.steady_from, steady + AWHILE.total_seconds()))
        return Trust(now, steady, self.steady_from)

    @property
    def holds(self) -> bool:
        """Whether ages may be believed."""
        return self.steady >= self.steady_from
