"""Whether a source's article pages are worth fetching, learned from what they gave before. Pure.

For sources that are left to decide by themselves (``full_text = "auto"``). What is remembered are
the latest trials, in words, and how many entries have passed since without one.
"""

from collections.abc import Sequence
from enum import StrEnum

from feeds.page.choose import Choice, FeedText

RECENT = 12
"""Trials that are remembered."""
_ENOUGH = 5
_RECHECK_EVERY = 50


class Trial(StrEnum):
    """What fetching one entry's page was worth."""

    BETTER = "better"
    """The page's text was taken."""
    FEED_WHOLE = "feed whole"
    """The feed's was, and seems to be all there is."""
    NO_BETTER = "no better"
    """The feed's was, though cut: the page was a wall, refused, or no longer."""

    @classmethod
    def of(cls, feed: FeedText, choice: Choice) -> "Trial":
        """The outcome to remember, after a choice was made with a page at hand."""
        if choice.source == "page":
            return cls.BETTER
        return cls.FEED_WHOLE if feed.whole else cls.NO_BETTER


def worth_fetching(feed: FeedText, recent: Sequence[str], passed: int) -> tuple[bool, str]:
    """Whether to fetch an entry's page, and why.

    ``recent`` are the source's latest trials, newest last; ``passed`` how many of its entries have
    gone by since without one. A source whose feed carries everything is not fetched any more, one
    whose pages never help neither; now and then one is fetched all the same, to see whether that
    still holds.
    """
    latest = recent[-RECENT:]
    if len(latest) < _ENOUGH:
        return True, "too little is known of this source"
    better = latest.count(Trial.BETTER)
    if better:
        return True, f"{better} of the last {len(latest)} pages of this source were better"
    if passed >= _RECHECK_EVERY:
        return True, f"a check after {passed} entries without a fetch"
    if Trial.NO_BETTER in latest:
        return False, f"the last {len(latest)} pages of this source gave nothing better"
    if not feed.whole:
        return True, "this source's feed is usually whole, but this entry is not"
    return False, "this source's feed carries whole texts"
