"""Lists of stories, their parts, and the rank they stand in; on both engines."""

from datetime import timedelta

import pytest
from builders import (
    HOUR,
    NOW,
    add_articles,
    add_source,
    add_sources,
    add_story,
    as_write,
    decision,
    fold,
    read_articles,
    source_config,
    story_write,
)

from storage.database import Database
from storage.folding import commit_fold, stories_of
from storage.front import Listing, Place, cards_of, list_stories
from storage.sections import CATEGORY, LANGUAGE, main_language, section_names
from storage.sources import sync_sources
from storage.values.fold import FoldCommit

STORIES = 25


@pytest.fixture
def filled(database: Database) -> Database:
    """25 stories: the higher the key, the later published and the lower ranked."""
    source = add_source(database, category="world")
    ids = add_articles(database, source.id, *(f"g{number}" for number in range(STORIES)))
    read_articles(database, *ids)
    fold(
        database,
        *(
            story_write(
                key,
                article,
                rank=-key / 7,
                published_at=NOW + key * HOUR,
                language="de-AT" if key % 5 == 0 else "en",
            )
            for key, article in enumerate(ids)
        ),
    )
    return database


def keys(database: Database, listing: Listing) -> list[int]:
    return [
        int(card.slug.removeprefix("story-")) for card in list_stories(database, listing).stories
    ]


def test_the_highest_ranked_or_the_newest_come_first(filled: Database) -> None:
    assert keys(filled, Listing(limit=3)) == [0, 1, 2]
    assert keys(filled, Listing(newest=True, limit=3)) == [24, 23, 22]


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("part", [{}, {"category": "world"}, {"language": "en"}])
def test_a_list_goes_on_where_a_page_ends_and_back_again(
    filled: Database, newest: bool, part: dict[str, str]
) -> None:
    everything = keys(filled, Listing(newest=newest, limit=100, **part))
    assert len(everything) == (20 if "language" in part else STORIES)
    after: Place | None = None
    seen: list[int] = []
    firsts = []
    while True:
        page = list_stories(filled, Listing(newest=newest, limit=6, after=after, **part))
        assert page.is_first is (after is None)
        seen += [int(card.slug.removeprefix("story-")) for card in page.stories]
        firsts.append(page.stories[0].place(newest=newest))
        if page.is_last:
            break
        after = page.stories[-1].place(newest=newest)
    assert seen == everything
    back = list_stories(filled, Listing(newest=newest, limit=6, before=firsts[2], **part))
    assert [card.slug for card in back.stories] == [f"story-{key}" for key in everything[6:12]]
    assert (back.is_first, back.is_last) == (False, False)
    top = list_stories(filled, Listing(newest=newest, limit=6, before=firsts[1], **part))
    assert top.is_first


def test_both_parts_at_once(filled: Database) -> None:
    assert keys(filled, Listing(category="world", language="de")) == [0, 5, 10, 15, 20]
    assert keys(filled, Listing(category="sport", language="de")) == []


def test_the_names_of_parts(filled: Database) -> None:
    assert section_names(filled, CATEGORY) == ("world",)
    assert section_names(filled, LANGUAGE) == ("de", "en")


@pytest.mark.parametrize(
    ("tag", "language"),
    [("en", "en"), ("EN-gb", "en"), ("zh_Hant", "zh"), ("", None), (None, None), ("-x", None)],
)
def test_the_language_of_a_tag(tag: str | None, language: str | None) -> None:
    assert main_language(tag) == language


def test_a_story_of_several_categories_stands_in_each(database: Database) -> None:
    one, two = add_sources(
        database,
        source_config("one", category="world"),
        source_config("two", category="sport"),
    )
    (first,) = add_articles(database, one.id, "a")
    (second,) = add_articles(database, two.id, "b")
    read_articles(database, first, second)
    add_story(database, 7, first, second)
    assert section_names(database, CATEGORY) == ("sport", "world")
    for name in ("sport", "world"):
        assert keys(database, Listing(category=name)) == [7]


def test_a_story_that_ends_leaves_its_parts(filled: Database) -> None:
    survivor, ended = stories_of(filled, [1, 5], [])
    assert ended.key == 5
    members = [*survivor.members, *ended.members]
    merged = as_write(survivor)
    merged = story_write(
        1, *(m.id for m in members), id=merged.id, uri=merged.uri, slug=merged.slug
    )
    fold(filled, merged, at=NOW + HOUR, retired={ended.id: 0})
    assert 5 not in keys(filled, Listing(language="de"))
    assert 5 not in keys(filled, Listing())
    assert 1 in keys(filled, Listing(category="world"))


def test_a_source_that_changes_its_category_takes_its_stories_along(filled: Database) -> None:
    sync_sources(filled, [source_config(category="sport")], NOW)
    assert section_names(filled, CATEGORY) == ("sport",)
    assert len(keys(filled, Listing(category="sport"))) == STORIES
    sync_sources(filled, [source_config(category="sport", priority=5)], NOW)
    assert section_names(filled, CATEGORY) == ("sport",)


def test_a_card_says_what_a_list_shows(database: Database) -> None:
    one, two = add_sources(database, source_config("one"), source_config("two"))
    lead, again = add_articles(database, one.id, "a", "b")
    (other,) = add_articles(database, two.id, "c")
    read_articles(database, lead, again, outlet="One", summary="x" * 5000)
    read_articles(database, other, outlet="Two", title="t" * 5000)
    latest = NOW + timedelta(minutes=5)
    commit_fold(
        database,
        FoldCommit(
            at=NOW,
            decisions=tuple(decision(one) for one in (lead, again, other)),
            stories=(
                story_write(1, lead, again, other, outlets=2, copies=1, rank=2.5, latest_at=latest),
            ),
        ),
    )
    (card,) = list_stories(database, Listing()).stories
    assert (card.outlets, card.copies, card.rank, card.latest_at) == (2, 1, 2.5, latest)
    assert (card.lead_outlet, len(card.summary)) == ("One", 1000)
    assert [(o.outlet, len(o.title)) for o in card.others] == [("Two", 500)]
    assert cards_of(database, [card.id, 999]) == (card,)
    assert cards_of(database, []) == ()


def test_without_a_latest_report_the_publication_stands_for_it(filled: Database) -> None:
    card = list_stories(filled, Listing(limit=1)).stories[0]
    assert card.latest_at == card.published_at
