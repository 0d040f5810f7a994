"""What retention dropped does not come back, and no subscriber sees anything twice."""

import random
from datetime import timedelta
from email.utils import format_datetime
from string import ascii_lowercase

import feedparser
from newsroom_runs import all_stories, opened, serve, settings_for
from test_aggregator_retaining import Time
from test_end_to_end import Outlets

from aggregator.operating.passes import full_pass
from aggregator.stages.fold.retaining import Retention
from aggregator.stages.fold.retention_rules import AWHILE
from aggregator.stages.publish.requested import Requested
from feeds.writing.http_cache import strong_etag
from storage.status import totals

DAY = timedelta(days=1)


def item(number: int, when: str, title: str = "") -> str:
    """An item of words that no other has, so that each is a story."""
    letters = random.Random(number)
    words = title or " ".join("".join(letters.choices(ascii_lowercase, k=8)) for _ in range(8))
    return (
        f"<item><title>{words}</title><guid isPermaLink='false'>n{number}</guid>"
        f"<link>https://outlet.example/{number}</link><pubDate>{when}</pubDate>"
        f"<description>{words}, says the council of {number}.</description></item>"
    )


async def test_what_was_dropped_stays_away_and_the_archives_stay_whole(database_url: str) -> None:
    """Twelve days of a feed that never drops an item, with five days kept; a restart each day.

    On the eighth day an old item is changed in its feed; on the ninth another feed links to it.
    """
    time, outlets = Time(), Outlets()
    shown: dict[str, str] = {}
    archived: dict[int, str] = {}
    items: list[str] = []
    async with serve(outlets.app()) as url:
        sources: list[dict[str, object]] = [
            {"url": f"{url}/{name}", "name": name, "full_text": "never"} for name in ("one", "two")
        ]
        settings = settings_for(
            database_url,
            sources,
            retention={"max_age": "5d"},
            output=[{"name": "feed", "limit": 4}],
        )
        outlets.items["two"] = item(1000, format_datetime(time.clock()))
        for day in range(12):
            when = format_datetime(time.clock())
            items += [item(2 * day + n, when) for n in range(2)]
            if day == 7:
                items[0] = item(0, when, "A town votes, corrected")
            if day == 8:
                outlets.items["two"] += item(1, when)
            outlets.items["one"] = "".join(items)
            async with opened(settings, time.clock) as application:
                keeper = Retention(application.ledger, settings, time.clock, lambda: time.steady)
                await full_pass(application, everything=True)
                time.passes(AWHILE)
                for _ in range(5):
                    await keeper.step()
                await full_pass(application, everything=True)
                assert application.tally.failed == {}
                read_on(application.publisher.document("feed", "atom"), shown)
                requested = Requested(application.ledger, settings, application.publisher)
                await follow(requested, application, archived)
            time.passes(DAY - AWHILE)
        async with opened(settings, time.clock) as application:
            found = await application.ledger.read(totals)
            stories = await all_stories(application)
    assert found.articles == found.stories <= 14, "five days, and no more"
    told = {story.title for story in stories}
    assert "A town votes, corrected" not in told
    assert len(set(shown.values())) == len(shown) == 25, "each item was seen, under one id"


def read_on(document: object, shown: dict[str, str]) -> None:
    """Read the feed: a link that comes under another id would be seen twice."""
    assert document is not None
    parsed = feedparser.parse(document.body)  # type: ignore[attr-defined]  # a Document
    assert not parsed.bozo
    for entry in parsed.entries:
        assert shown.setdefault(entry.link, entry.id) == entry.id


async def follow(requested: Requested, application: object, archived: dict[int, str]) -> None:
    """Follow ``prev-archive`` to its end: no error on the way, and none of them ever changes."""
    output = application.settings.outputs()[0]  # type: ignore[attr-defined]  # an Application
    number = application.publisher.progress("feed").archives  # type: ignore[attr-defined]
    while number:
        document = await requested.archive(output, number, "atom")
        assert document is not None, f"archive {number} is linked, and not there"
        parsed = feedparser.parse(document.body)
        assert not parsed.bozo
        tag = strong_etag(document.body)
        if parsed.entries:
            assert archived.setdefault(number, tag) == tag
        links = {link.rel: link.href for link in parsed.feed.links}
        assert parsed.entries or "prev-archive" not in links, "an empty one ends the chain"
        if "prev-archive" not in links:
            break
        number = int(links["prev-archive"].rpartition("/")[2].partition(".")[0])
