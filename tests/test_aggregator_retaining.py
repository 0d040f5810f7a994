"""Retention at work: in rounds, between batches of folding, on both engines."""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from builders import (
    HOUR,
    NOW,
    add_articles,
    add_sources,
    add_story,
    article_reading,
    latest_stories,
    read_articles,
    source_config,
)
from fakes import FakeClock
from sqlalchemy import select

from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.matching.model import Model
from aggregator.stages.fold.folding import Folder, rebuild
from aggregator.stages.fold.retaining import Retention
from aggregator.stages.fold.retention_rules import AWHILE, DISTRUST
from aggregator.stages.tally import Tally
from storage.articles import claim_new, commit_reading
from storage.database import Database, open_database
from storage.folding import folded_since, stories_of
from storage.tables.article import articles

DAY = timedelta(days=1)
MODEL = Model.load()
EVER = NOW - timedelta(days=10_000)


class Time:
    """A clock and the steady time, which go on together until the clock is set."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.steady = 0.0

    def passes(self, by: timedelta) -> None:
        self.clock.move(by)
        self.steady += by.total_seconds()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    ledger = Ledger(open_database(database_url))
    yield ledger
    ledger.close()


def retention(ledger: Ledger, time: Time, sources: object = (), **rules: object) -> Retention:
    settings = Settings.model_validate({"retention": rules, "source": sources})
    return Retention(ledger, settings, time.clock, lambda: time.steady)


def held(db: Database) -> list[int]:
    with db.read() as connection:
        return list(connection.execute(select(articles.c.id).order_by(articles.c.id)).scalars())


def folded(db: Database, source_id: int, *guids: str, at: datetime = NOW) -> list[int]:
    ids = add_articles(db, source_id, *guids, at=at)
    read_articles(db, *ids, at=at)
    for number in ids:
        add_story(db, number, number, at=at)
    return ids


async def steps(keeper: Retention, count: int = 20) -> None:
    for _ in range(count):
        await keeper.step()


async def test_old_articles_go_by_the_age_of_their_source(ledger: Ledger, time: Time) -> None:
    db = ledger.database
    times, post = add_sources(db, source_config("times"), source_config("post"))
    old = folded(db, times.id, "a", "b", at=NOW - 20 * DAY)
    kept = folded(db, post.id, "c", at=NOW - 20 * DAY)
    new = folded(db, times.id, "d", "e")
    own = [{"url": post.url, "max_age": "0s"}]
    keeper = retention(ledger, time, own, max_age="10d")
    await steps(keeper)
    assert held(db) == [*old, *kept, *new], "not at once after a start"
    time.passes(AWHILE)
    await steps(keeper)
    assert held(db) == [*kept, *new]


async def test_numbers_of_a_source_and_of_all(ledger: Ledger, time: Time) -> None:
    db = ledger.database
    times, post = add_sources(db, source_config("times"), source_config("post"))
    ids = [folded(db, times.id, guid, at=NOW + n * HOUR)[0] for n, guid in enumerate("abcd")]
    others = [folded(db, post.id, guid, at=NOW + n * HOUR)[0] for n, guid in enumerate("wxyz")]
    own = [{"url": times.url, "max_articles": 2}]
    keeper = retention(ledger, time, own, max_age="0s", max_articles_per_source=3)
    assert await keeper.everything() == 3
    assert held(db) == [*ids[2:], *others[1:]]
    keeper = retention(ledger, time, max_age="0s", max_articles=3)
    assert await keeper.everything() == 2
    assert held(db) == others[1:]


async def test_nothing_goes_where_nothing_is_asked_for(ledger: Ledger, time: Time) -> None:
    db = ledger.database
    (times,) = add_sources(db, source_config("times"))
    ids = folded(db, times.id, "a", "b", at=NOW - 9_000 * DAY)
    keeper = retention(ledger, time, max_age="0s", max_articles=0)
    time.passes(AWHILE)
    await steps(keeper)
    assert await keeper.everything() == 0
    assert held(db) == ids


async def test_a_clock_a_year_ahead_drops_nothing_for_its_age(ledger: Ledger, time: Time) -> None:
    db = ledger.database
    (times,) = add_sources(db, source_config("times"))
    ids = folded(db, times.id, "a", "b", "c")
    keeper = retention(ledger, time, max_age="90d")
    time.passes(AWHILE)
    await steps(keeper)
    time.clock.move(365 * DAY)
    await steps(keeper)
    time.passes(DISTRUST - HOUR)
    await steps(keeper)
    assert held(db) == ids
    time.clock.move(-365 * DAY)
    time.passes(30 * DAY)
    await steps(keeper)
    assert held(db) == ids, "it was set back, and they are a month old"
    time.clock.move(365 * DAY)
    await steps(keeper)
    time.passes(DISTRUST)
    await steps(keeper, 40)
    assert held(db) == ids[-1:], "it stood for a day: so late it is"


async def test_a_living_story_keeps_its_lead_and_its_dates(ledger: Ledger, time: Time) -> None:
    db = ledger.database
    times, post = add_sources(db, source_config("times"), source_config("post"))
    old = add_articles(db, times.id, "a", "b", at=NOW - 20 * DAY)
    (new,) = add_articles(db, post.id, "c")
    read_articles(db, *old, new)
    before = add_story(db, old[0], *old, new, outlets=2)
    folded(db, times.id, "z")
    await retention(ledger, time, max_age="10d").everything()  # not trusted yet: by age nothing
    assert len(held(db)) == 4
    keeper = retention(ledger, time, max_age="10d")
    time.passes(AWHILE)
    await steps(keeper)
    (after,) = stories_of(db, [before.key], [])
    assert [member.id for member in after.members] == [old[0], new]
    assert (after.title, after.lead_article_id) == (before.title, old[0])
    assert (after.updated_at, after.published_at) == (before.updated_at, before.published_at)
    (shown,) = [s for s in latest_stories(db) if s.id == before.id]
    assert shown.outlets == 1, "both that are left are of one publisher"


# --- the matcher ------------------------------------------------------------------------------

_SUBJECTS = ("Harbour Bridge", "Mayor Alma Reyes", "Northfield Mill", "Lake Orta", "Dr Ian Quayle")
_VERBS = ("burns down", "is sold for 40 million", "closes after 112 years", "wins a court case")


def folder(ledger: Ledger, time: Time, keeper: Retention) -> Folder:
    numbers = itertools.count()

    def mint(_: datetime) -> tuple[str, str]:
        number = f"{time.steady}-{next(numbers)}"
        return f"tag:news.example,2026-11-22:story/{number}", f"slug{number}"

    return Folder(ledger, MODEL, mint, time.clock, Tally(), retention=keeper)


async def tell(ledger: Ledger, one: Folder, source_id: int, day: int, now: datetime) -> None:
    """A day's news: some of it on what was told before."""
    told = {f"{day}-{n}": f"{_SUBJECTS[(day + n) % 5]} {_VERBS[(day * n) % 4]}" for n in range(4)}
    add_articles(ledger.database, source_id, *told, at=now)
    for article in claim_new(ledger.database, now, now, 100):
        title = told[str(article.url).rpartition("/")[2]]
        body = f"{title}. Officials said on day {day // 3} that nobody was hurt at {title}."
        reading = article_reading(
            article.id,
            title=title,
            matching_text=body,
            text=body,
            version=article.version,
            published=now,
            text_hash=f"{title} {day // 3}",
        )
        commit_reading(ledger.database, reading)
    while batches := await one.claim(1):
        for batch in batches:
            await one.fold(batch)


async def test_the_matcher_rebuilt_is_the_matcher_that_went_on(ledger: Ledger, time: Time) -> None:
    """Retention takes the eldest out of both alike, however often the process is restarted."""
    (times,) = add_sources(ledger.database, source_config("times"))
    keeper = retention(ledger, time, max_age="4d")
    steady = folder(ledger, time, keeper)
    for day in range(12):
        await tell(ledger, steady, times.id, day, time.clock())
        time.passes(DAY)
        await steps(keeper, 3)
        await steady.claim(1)
        matcher = steady._matcher
        assert matcher is not None
        rebuilt = rebuild(ledger.database, MODEL)
        remembered = [one.id for one in folded_since(ledger.database, EVER)]
        assert len(rebuilt) == len(matcher) == len(remembered)
        for number in remembered:
            assert rebuilt.explain(number) == matcher.explain(number)
    assert len(held(ledger.database)) < 24


async def test_what_a_source_lost_to_its_number_disturbs_no_fold(
    ledger: Ledger, time: Time
) -> None:
    """The matcher still knows it until it is restarted; its stories are not those of others."""
    (times,) = add_sources(ledger.database, source_config("times"))
    keeper = retention(ledger, time, max_age="0s", max_articles_per_source=3)
    one = folder(ledger, time, keeper)
    for day in range(8):
        await tell(ledger, one, times.id, day, time.clock())
        time.passes(DAY)
        await steps(keeper, 3)
        assert len(held(ledger.database)) <= 3 + len(latest_stories(ledger.database))
        for story in latest_stories(ledger.database):
            assert story.articles


# --- thirty days ------------------------------------------------------------------------------


async def test_thirty_days_stay_bounded_and_the_file_shrinks(tmp_path: Path, time: Time) -> None:
    """Twenty-five articles a day in place of a hundred thousand; the size follows what is kept."""
    path = tmp_path / "n.db"
    ledger = Ledger(open_database(f"sqlite:///{path}"))
    (times,) = add_sources(ledger.database, source_config("times"))
    keeper = retention(ledger, time, max_age="5d")
    sizes = []
    for day in range(30):
        ids = add_articles(
            ledger.database, times.id, *(f"{day}-{n}" for n in range(25)), at=time.clock()
        )
        text = f"{day} " + "nothing happened here today, said the mayor " * 60
        read_articles(
            ledger.database, *ids, at=time.clock(), text=text, html=text, matching_text=text
        )
        add_story(ledger.database, ids[0], *ids, at=time.clock())
        time.passes(DAY)
        await steps(keeper, 3)
        with ledger.database.read() as connection:
            sizes.append(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    assert len(held(ledger.database)) <= 150
    # The index of words is merged from time to time, and swells in between.
    assert max(sizes[10:]) <= 1.2 * sizes[8], "bounded from the day on which the first went"
    full = sizes[-1]
    time.passes(6 * DAY)
    await steps(keeper, 10)
    with ledger.database.read() as connection:
        left = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    assert left < full / 2, "the file gave its pages back"
    ledger.close()
    assert path.stat().st_size < full * 4096 / 2
