"""What a look at an address found, in words for people. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from aggregator.operating.amounts import about, ago, size
from aggregator.operating.probing import ALLOWING, Look, is_private
from aggregator.stages.poll.schedule import Health, Politeness, Poll, next_poll
from feeds.http.freshness import fresh_for
from feeds.model import FeedEntry, Hop, ParsedFeed, PollHints, Response

_FORMATS = {"rss": "RSS", "rdf": "RDF", "atom": "Atom", "json": "JSON Feed"}
_ENOUGH = 1500
"""Characters of HTML from which an entry seems to carry its whole article."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def headline(look: Look) -> tuple[str, str]:
    """A feed in two lines: what it is called and where, and what is in it."""
    feed = look.feed
    if feed is None:
        return look.url, look.problem or ""
    facts = [_FORMATS[feed.format], _counted(len(feed.entries), "entry", "entries")]
    moments = _moments(feed.entries)
    if moments:
        facts.append(f"newest {ago(moments[0], look.at)}, oldest {ago(moments[-1], look.at)}")
    return f"{feed.title or 'untitled'}  {look.address}", ", ".join(facts)


def report(look: Look, politeness: Politeness, refusal: str | None) -> Iterator[tuple[str, str]]:
    """Everything worth knowing of a feed before it is listed, as rows of a label and words.

    ``refusal`` is why the page of its first article may not be fetched, if it may not.
    """
    outcome, feed = look.outcome, look.feed
    if isinstance(outcome, Response):
        yield "answered", _answered(outcome)
        if outcome.hops:
            yield "redirects", " -> ".join(map(_hop, outcome.hops))
    if feed is None:
        yield "problem", look.problem or ""
        return
    yield "format", f"{_FORMATS[feed.format]}, called {feed.title or 'nothing'!r}"
    yield "entries", _entries(feed.entries, look.at)
    yield "text", _text(feed.entries)
    yield "rhythm", _rhythm(look, feed, politeness)
    if asks := _asks(feed.hints, outcome, look.at):
        yield "asks", asks
    yield "caching", _caching(outcome)
    if any(entry.url for entry in feed.entries):
        yield "pages", refusal or "robots.txt lets us fetch the first article's page"
    if feed.hubs:
        yield "push", f"it names the hub {feed.hubs[0]}"
    for problem in feed.problems[:5]:
        yield "problem", problem


def advice(look: Look, refusal: str | None) -> Iterator[str]:
    """What an operator had better do about it."""
    if look.address != look.url:
        yield f"it has moved for good: list {look.address} instead"
    if look.feed_links:
        yield f"it is a page, not a feed: list {look.feed_links[0]} instead"
    if is_private(look):
        yield ALLOWING
    if look.feed is None:
        return
    short = _full(look.feed.entries) * 2 < len(look.feed.entries)
    if refusal and look.feed.entries:
        more = "; summaries are all that will be there" if short else ""
        yield f'full_text = "never" saves asking for pages in vain{more}'
    if look.feed.entries and not _moments(look.feed.entries):
        yield "none of its dates can be believed: an entry gets the time it was first seen"
    if not look.feed.entries:
        yield "it is empty; look at it in a reader before you rely on it"


# --- rows ---------------------------------------------------------------------------------------


def _answered(response: Response) -> str:
    coding = response.headers.get("content-encoding", "")
    packed = f", {size(response.wire_bytes)} in {coding}" if coding else ""
    return f"{response.status} in {response.seconds:.2f} s, {size(len(response.body))}{packed}"


def _hop(hop: Hop) -> str:
    return f"{hop.status} to {hop.target}"


def _entries(entries: Sequence[FeedEntry], now: datetime) -> str:
    moments = _moments(entries)
    words = str(len(entries))
    if moments:
        words += f", newest {ago(moments[0], now)}, oldest {ago(moments[-1], now)}"
    undated = len(entries) - len(moments)
    return f"{words}; {undated} without a date that can be believed" if undated else words


def _text(entries: Sequence[FeedEntry]) -> str:
    if not entries:
        return "none"
    full = _full(entries)
    if full == len(entries):
        return "full in every entry"
    longest = max(len(entry.content_html or entry.summary_html) for entry in entries)
    return f"full in {full} of {len(entries)} entries; the longest has {longest} characters of HTML"


def _rhythm(look: Look, feed: ParsedFeed, politeness: Politeness) -> str:
    moments, new = _moments(feed.entries), len(feed.entries)
    poll = Poll(look.outcome, hints=feed.hints, published=moments, new_entries=new)
    # No jitter: the same answer to the same question.
    plan = next_poll(Health(), poll, look.at, politeness, Random(0))  # noqa: S311 - no secret
    wait = plan.health.interval or 0.0
    return f"{'; '.join(plan.reasons)}: asked about every {about(timedelta(seconds=wait))}"


def _asks(hints: PollHints, outcome: object, now: datetime) -> str:
    said = []
    if hints.ttl:
        said.append(f"ttl {about(timedelta(seconds=hints.ttl))}")
    if hints.update_interval:
        said.append(f"sy:updatePeriod {about(timedelta(seconds=hints.update_interval))}")
    if hints.skip_hours:
        said.append(f"skipHours {', '.join(map(str, sorted(hints.skip_hours)))}")
    if hints.skip_days:
        said.append(f"skipDays {', '.join(_DAYS[day] for day in sorted(hints.skip_days))}")
    fresh = fresh_for(outcome.headers, now) if isinstance(outcome, Response) else None
    if fresh:
        said.append(f"fresh for {about(timedelta(seconds=fresh))}")
    return ", ".join(said)


def _caching(outcome: object) -> str:
    headers = outcome.headers if isinstance(outcome, Response) else {}
    given = [name for name in ("ETag", "Last-Modified") if headers.get(name.lower())]
    if given:
        return f"{' and '.join(given)}: unchanged, it costs next to nothing"
    return "neither ETag nor Last-Modified: every poll brings the whole document"


# --- small words --------------------------------------------------------------------------------


def _moments(entries: Sequence[FeedEntry]) -> list[datetime]:
    """The dates that can be believed, newest first."""
    known = (e.published for e in entries if e.published and not e.published_guessed)
    return sorted(known, reverse=True)


def _full(entries: Sequence[FeedEntry]) -> int:
    return sum(len(entry.content_html) >= _ENOUGH for entry in entries)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
