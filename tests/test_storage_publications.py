"""Sequences, archives and renditions of outputs, on both engines."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from builders import (
    HOUR,
    MINUTE,
    NOW,
    add_articles,
    add_source,
    add_sources,
    add_story,
    read_articles,
    source_config,
)

from storage.database import Database
from storage.folding import stories_of
from storage.publications import (
    Unjudged,
    archive_of,
    close_archive,
    open_publications,
    output_progress_of,
    publish,
    published,
    unjudged_articles,
    unjudged_stories,
    wordings,
)
from storage.publishing import articles_by_id, stories_by_id
from storage.renditions import settle_renditions
from storage.values.publish import ClosedArchive, Progress, StoryFilter, Window, Wording

LOOK = Unjudged((), NOW, 0)
NO_TIME = timedelta(0)
ALL = Window(newest=100)


def some_stories(db: Database, number: int) -> list[int]:
    source = add_source(db, category="world")
    articles = add_articles(db, source.id, *(f"g{n}" for n in range(number)))
    read_articles(db, *articles)
    return [
        add_story(db, key, article, at=NOW + key * MINUTE).id
        for key, article in enumerate(articles)
    ]


def listed(db: Database, window: Window = ALL) -> list[tuple[int, int]]:
    found = published(db, "feed", window, of_articles=False)
    return [(item.id, item.position) for item in found]


def test_before_anything(database: Database) -> None:
    assert output_progress_of(database, "feed") == Progress()
    assert listed(database) == []
    assert archive_of(database, "feed", 1) is None
    assert unjudged_stories(database, "feed", StoryFilter(), None, NO_TIME) == Unjudged((), None, 0)
    assert unjudged_articles(database, "feed", StoryFilter(), None) == Unjudged((), None, 0)


def test_a_sequence_grows_and_gives_no_place_twice(database: Database) -> None:
    one, two, three = some_stories(database, 3)
    publish(database, "feed", [one, two], "all", LOOK)
    progress = publish(database, "feed", [two, three], "all", LOOK)
    assert listed(database) == [(three, 4), (two, 2), (one, 1)]
    assert (progress.next_position, progress.archived_to, progress.looked_at) == (5, 0, NOW)
    publish(database, "other", [three], "all", LOOK)
    assert listed(database) == [(three, 4), (two, 2), (one, 1)], "each output has its own"


def test_another_filter_begins_behind_what_was(database: Database) -> None:
    one, two, three = some_stories(database, 3)
    publish(database, "feed", [one, two], "all", LOOK)
    progress = publish(database, "feed", [one, three], "some", LOOK)
    assert listed(database) == [(three, 4), (one, 3)]
    assert (progress.admits, progress.archived_to) == ("some", 2)


def test_what_is_unjudged(database: Database) -> None:
    one, two, three = some_stories(database, 3)
    everything = StoryFilter(limit=2)
    first = unjudged_stories(database, "feed", everything, None, NO_TIME)
    assert first == Unjudged((two, three), NOW + 2 * MINUTE, three), "a first look has a limit"
    publish(database, "feed", [two], "all", first)
    since = Progress(looked_at=NOW, looked_to=three)
    assert unjudged_stories(database, "feed", everything, since, NO_TIME).ids == (one, three)
    late = replace(since, looked_at=NOW + 2 * HOUR)
    assert unjudged_stories(database, "feed", everything, late, NO_TIME).ids == ()
    assert unjudged_stories(database, "feed", everything, late, 3 * HOUR).ids == (one, three)
    set_back = replace(late, looked_to=two)
    assert unjudged_stories(database, "feed", everything, set_back, NO_TIME).ids == (three,)
    never = Progress()
    assert unjudged_stories(database, "feed", everything, never, NO_TIME).ids == (one, three)
    ripe = StoryFilter(seen_before=NOW)
    assert unjudged_stories(database, "feed", ripe, since, NO_TIME).ids == (one,)


def test_articles_in_the_very_same_words_are_left_out(database: Database) -> None:
    source = add_source(database)
    first, second, third = add_articles(database, source.id, "a", "b", "c")
    read_articles(database, first, text_hash="x")
    read_articles(database, third, text_hash="y")
    read_articles(database, second, text_hash="x")
    for key, article in enumerate((first, second, third)):
        add_story(database, key, article)
    found = unjudged_articles(database, "feed", StoryFilter(), None)
    assert found.ids == (first, third)
    known = Progress(looked_to=found.looked_to)
    assert unjudged_articles(database, "feed", StoryFilter(), known).ids == ()
    publish(database, "feed", found.ids, "all", found)
    shown = published(database, "feed", ALL, of_articles=True)
    assert [item.id for item in shown] == [third, first]
    views = articles_by_id(database, [third, first, 4711])
    assert [(view.id, view.guid, view.summary) for view in views] == [
        (third, "c", "A summary."),
        (first, "a", "A summary."),
    ]


def test_what_an_output_does_not_show_leaves_nothing_out_of_it(database: Database) -> None:
    one, two = add_sources(database, source_config("one"), source_config("two", category="sport"))
    (first,) = add_articles(database, one.id, "a")
    (second,) = add_articles(database, two.id, "b")
    read_articles(database, first, second, text_hash="x")
    for key, article in enumerate((first, second)):
        add_story(database, key, article)
    assert unjudged_articles(database, "feed", StoryFilter(), None).ids == (first,)
    for wanted in (
        StoryFilter(sources=(two.url,)),
        StoryFilter(categories=("sport",)),
        StoryFilter(without_leads=(one.url,)),
    ):
        assert unjudged_articles(database, "feed", wanted, None).ids == (second,)


def test_a_language_is_wanted_whatever_the_region(database: Database) -> None:
    """Most feeds say en-US; outputs of "en" had none of them."""
    source = add_source(database)
    tags = ("en", "en-US", "eng", "de")
    ids = add_articles(database, source.id, *tags)
    for key, (article, tag) in enumerate(zip(ids, tags, strict=True)):
        read_articles(database, article, language=tag, text_hash=tag)
        add_story(database, key, article, language=tag)
    told = [stories_of(database, [key], [])[0].id for key in range(len(tags))]
    for wanted, expected in ((("en",), 2), (("EN-us",), 1), (("en", "de"), 3), (("e%",), 0)):
        asked = StoryFilter(languages=wanted, limit=9)
        found = unjudged_stories(database, "feed", asked, None, NO_TIME)
        assert len(found.ids) == expected
        assert set(found.ids) <= set(told)
        assert len(unjudged_articles(database, "feed", asked, None).ids) == expected


def test_a_title_without_text_says_nothing_when_its_source_uses_it_again(
    database: Database,
) -> None:
    one, two = add_sources(database, source_config("one"), source_config("two"))
    (first, second) = add_articles(database, one.id, "a", "b")
    (elsewhere,) = add_articles(database, two.id, "c")
    read_articles(database, first, second, elsewhere, text="", text_hash="x")
    for key, article in enumerate((first, second, elsewhere)):
        add_story(database, key, article)
    assert unjudged_articles(database, "feed", StoryFilter(), None).ids == (first, second)


def test_what_items_say(database: Database) -> None:
    (one,) = some_stories(database, 1)
    (view,) = stories_by_id(database, [one, 4711])
    assert wordings(database, [one], of_articles=False) == {one: Wording("Story 0", "The text.")}
    said = wordings(database, [view.lead.id], of_articles=True)
    assert said == {view.lead.id: Wording(view.lead.title, "The text.")}


def close(
    db: Database, number: int, after: int, to: int, kept: Iterable[int], *, body: bytes = b"\x00x"
) -> bool:
    archive = ClosedArchive(number, NOW, full=False, body=body)
    return close_archive(db, "feed", archive, after=after, to=to, kept=list(kept))


def test_an_archive_is_closed_once(database: Database) -> None:
    one, two, three = some_stories(database, 3)
    publish(database, "feed", [one, two, three], "all", LOOK)
    assert close(database, 1, 0, 2, [one])
    assert not close(database, 1, 0, 2, [one], body=b"other"), "another process was first"
    assert not close(database, 3, 2, 3, [three])
    assert archive_of(database, "feed", 1) == ClosedArchive(1, NOW, False, b"\x00x")
    progress = output_progress_of(database, "feed")
    assert (progress.archived_to, progress.archives) == (2, 1)
    assert listed(database) == [(three, 3), (one, 1)], "what had ended may be published again"
    unarchived = open_publications(database, "feed", 2, 10, of_articles=False)
    assert [item.id for item in unarchived] == [three]


def test_a_window(database: Database) -> None:
    one, two, three = some_stories(database, 3)
    publish(database, "feed", [one, two, three], "all", LOOK)
    assert listed(database, Window(newest=2)) == [(three, 3), (two, 2)]
    assert listed(database, Window(newest=9, after=2)) == [(three, 3)]
    assert listed(database, Window(newest=9, categories=("none",))) == []
    assert listed(database, Window(newest=9, categories=("world",), languages=("en",)))
    assert listed(database, Window(newest=9, since=NOW)) == []
    assert len(listed(database, Window(newest=9, since=NOW - HOUR))) == 3


def settle(
    db: Database, digests: Mapping[tuple[int, str], str], changed: int, now: int
) -> dict[tuple[int, str], int]:
    """With times in minutes after NOW."""
    at = settle_renditions(db, "feed", digests, NOW + changed * MINUTE, NOW + now * MINUTE)
    return {key: (moment - NOW) // MINUTE for key, moment in at.items()}


def test_since_when_a_document_is_as_it_is(database: Database) -> None:
    one, two = (1, "atom"), (2, "atom")
    assert settle(database, {one: "a", two: "b"}, 0, 5) == {one: 0, two: 0}
    assert settle(database, {one: "a", two: "b"}, 9, 9) == {one: 0, two: 0}, "nothing changed"
    assert settle(database, {one: "x", two: "b"}, 7, 9) == {one: 7, two: 0}, "a story changed"
    assert settle(database, {one: "y", two: "b"}, 7, 20) == {one: 20, two: 0}, "the config did"
    assert settle(database, {one: "y"}, 0, 30) == {one: 20}
    assert settle(database, {one: "y", two: "b"}, 25, 30) == {one: 20, two: 25}, "it came back"
    assert settle(database, {one: "z"}, 20, 3) == {one: 20}, "a clock that was set back"
    last = settle_renditions(database, "feed", {one: "z"}, NOW, NOW)
    assert last[one] == NOW + 20 * MINUTE + timedelta(seconds=1)
