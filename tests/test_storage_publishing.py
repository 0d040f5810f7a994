from datetime import UTC, datetime

import pytest
from builders import (
    HOUR,
    MINUTE,
    NOW,
    add_articles,
    add_source,
    add_sources,
    add_story,
    article_reading,
    as_write,
    commit_poll,
    entry_write,
    fold,
    latest_stories,
    poll_commit,
    read_articles,
    source_config,
    story_write,
)

from storage.articles import claim_new, commit_reading
from storage.database import Database
from storage.folding import stories_of
from storage.publishing import revision, story_by_slug
from storage.sources import sync_sources
from storage.values.poll import FeedFacts
from storage.values.publish import StoryFilter


def folded(
    db: Database, source_id: int, guid: str, key: int, at: datetime, **changes: object
) -> int:
    """A story of one article; the article's id."""
    (article_id,) = add_articles(db, source_id, guid)
    read_articles(db, article_id)
    add_story(db, key, article_id, at=at, **changes)
    return article_id


def keys(db: Database, **wanted: object) -> list[str]:
    return [story.slug for story in latest_stories(db, StoryFilter(**wanted))]  # type: ignore[arg-type]


def test_nothing_yet(database: Database) -> None:
    assert revision(database) == (None, 0)
    assert latest_stories(database) == ()
    assert story_by_slug(database, "story-1") is None


def test_the_story_first_seen_last_is_at_the_top(database: Database) -> None:
    source = add_source(database)
    folded(database, source.id, "a", 1, NOW)
    folded(database, source.id, "b", 2, NOW + HOUR)
    folded(database, source.id, "c", 3, NOW)

    assert keys(database) == ["story-2", "story-3", "story-1"]
    assert keys(database, limit=2) == ["story-2", "story-3"]
    assert keys(database, limit=0) == []


def test_a_story_that_changes_keeps_its_place(database: Database) -> None:
    source = add_source(database)
    folded(database, source.id, "a", 1, NOW)
    folded(database, source.id, "b", 2, NOW + HOUR)
    (story,) = stories_of(database, [1], [])

    fold(database, as_write(story, title="New"), at=NOW + 2 * HOUR)

    assert keys(database) == ["story-2", "story-1"]
    assert revision(database)[0] == NOW + 2 * HOUR


def test_everything_readers_see(database: Database) -> None:
    times, post = add_sources(
        database, source_config("times", category="world"), source_config("post")
    )
    facts = FeedFacts("ignored", "https://post.example/", "https://post.example/i.png", "© Post")
    commit_poll(database, poll_commit(post.id, feed=facts))
    (a,) = add_articles(database, times.id, "a")
    (b,) = add_articles(database, post.id, "b")
    read_articles(database, a)
    (claimed,) = claim_new(database, NOW, NOW, 10)
    commit_reading(
        database,
        article_reading(
            claimed.id, outlet="Post", publisher="post.example", agency="AP", text="Lead"
        ),
    )
    fold(database, story_write(1, a, b, lead_article_id=b, outlets=2, title="A title"))

    (story,) = latest_stories(database)

    assert story == story_by_slug(database, "story-1")
    assert (story.title, story.outlets, story.language) == ("A title", 2, "en")
    assert (story.created_at, story.changed_at) == (NOW, NOW)
    assert story.published_at.tzinfo is UTC
    assert [article.id for article in story.articles] == [b, a]
    lead, other = story.articles
    assert lead == story.lead
    assert (lead.outlet, lead.agency, lead.text_source) == ("Post", "AP", "page")
    assert (lead.summary, lead.text, lead.html) == ("A summary.", "Lead", "<p>The text.</p>")
    assert (lead.source_title, lead.source_url) == ("Post", post.url)
    assert (lead.source_site_url, lead.source_icon) == (facts.site_url, facts.icon)
    assert (lead.source_rights, lead.category) == (facts.rights, None)
    assert (other.summary, other.text, other.html) == ("", "", "")
    assert (other.category, other.authors, other.categories) == (
        "world",
        ("Ann Author",),
        ("World",),
    )
    assert (other.published, other.arrived_at) == (NOW - HOUR, NOW)
    assert (other.url, other.reason) == ("https://times.example/a", {})


def test_a_guessed_date_is_not_shown(database: Database) -> None:
    source = add_source(database)
    (a,) = add_articles(database, source.id, "a")
    read_articles(database, a, published_guessed=True)
    add_story(database, 1, a)

    assert latest_stories(database)[0].lead.published is None


def test_a_lead_that_retention_took_shows_the_next(database: Database) -> None:
    source = add_source(database)
    folded(database, source.id, "a", 1, NOW, lead_article_id=4711)

    assert latest_stories(database)[0].lead.title.startswith("Title")


@pytest.fixture
def mixed(database: Database) -> Database:
    """1: world, en, 1 outlet. 2: sport, de, 2. 3: none, no language, 3. 4: world + sport, en, 2."""
    world, sport, plain = add_sources(
        database,
        source_config("world", category="world"),
        source_config("sport", category="sport"),
        source_config("plain"),
    )
    folded(database, world.id, "a", 1, NOW)
    folded(database, sport.id, "b", 2, NOW + MINUTE, language="de", outlets=2)
    folded(database, plain.id, "c", 3, NOW + 2 * MINUTE, language=None, outlets=3)
    (d,) = add_articles(database, world.id, "d")
    (e,) = add_articles(database, sport.id, "e")
    read_articles(database, d, e)
    add_story(database, 4, d, e, at=NOW + 3 * MINUTE)
    return database


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [4, 3, 2, 1]),
        ({"categories": ("world",)}, [4, 1]),
        ({"categories": ("sport",)}, [4, 2]),
        ({"categories": ("world", "sport")}, [4, 2, 1]),
        ({"categories": ("none",)}, []),
        ({"languages": ("de",)}, [2]),
        ({"languages": ("de", "en")}, [4, 2, 1]),
        ({"min_outlets": 2}, [4, 3, 2]),
        ({"min_outlets": 3}, [3]),
        ({"categories": ("sport",), "languages": ("en",), "min_outlets": 2}, [4]),
        ({"categories": ("sport",), "limit": 1}, [4]),
    ],
)
def test_filters(mixed: Database, wanted: dict[str, object], found: list[int]) -> None:
    assert keys(mixed, **wanted) == [f"story-{key}" for key in found]


def test_a_story_in_the_category_of_a_removed_source_stays(mixed: Database) -> None:
    sync_sources(mixed, [], NOW)

    assert keys(mixed, categories=("world",)) == ["story-4", "story-1"]


def test_retired_stories_are_not_listed_and_lead_to_what_they_became(database: Database) -> None:
    source = add_source(database)
    for key, guid in enumerate("abc"):
        folded(database, source.id, guid, key, NOW)
    zero, one, two = stories_of(database, [0, 1, 2], [])
    a, b, c = (story.members[0].id for story in (zero, one, two))
    before = revision(database)

    fold(database, as_write(one, members=(b, c)), retired={two.id: 0})
    fold(database, as_write(zero, members=(a, b, c)), retired={one.id: 0})

    assert revision(database) != before
    assert keys(database) == ["story-0"]
    for slug in ("story-0", "story-1", "story-2"):
        story = story_by_slug(database, slug)
        assert story is not None
        assert (story.slug, len(story.articles)) == ("story-0", 3)


def test_what_changes_nothing_readers_see_leaves_the_revision(database: Database) -> None:
    source = add_source(database)
    folded(database, source.id, "a", 1, NOW)
    before = revision(database)

    commit_poll(database, poll_commit(source.id, entry_write("b"), at=NOW + HOUR))
    (article,) = claim_new(database, NOW, NOW, 10)
    commit_reading(database, article_reading(article.id))
    sync_sources(database, [source_config(), source_config("another")], NOW)

    assert revision(database) == before


def test_a_reader_sees_one_moment(database: Database) -> None:
    """Rows that were read together belong together, whatever is written between the reads."""
    source = add_source(database)
    folded(database, source.id, "a", 1, NOW)
    folded(database, source.id, "b", 2, NOW)
    one, two = stories_of(database, [1, 2], [])
    members = (one.members[0].id, two.members[0].id)

    with database.read() as connection:
        first = connection.exec_driver_sql("SELECT count(*) FROM story WHERE retired_at IS NULL")
        assert first.scalar() == 2
        fold(database, as_write(one, members=members), retired={two.id: 0})
        again = connection.exec_driver_sql(
            f"SELECT count(*) FROM article WHERE story_id = {two.id}"
        )
        assert again.scalar() == 1
