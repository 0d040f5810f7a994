from datetime import UTC

from builders import (
    HOUR,
    MINUTE,
    NOW,
    add_articles,
    add_source,
    add_story,
    article_reading,
    commit_poll,
    decision,
    entry_write,
    latest_stories,
    poll_commit,
    read_articles,
)
from sqlalchemy import select

from storage.articles import (
    claim_new,
    commit_reading,
    count_by_state,
    read_alike_again,
    titles_alike,
)
from storage.database import Database
from storage.folding import commit_fold, waiting_to_fold
from storage.tables.article import article_texts, articles
from storage.values.extract import EarlierReading, PageTrial
from storage.values.fold import FoldCommit

PATIENCE = HOUR


def change(db: Database, source_id: int, guid: str) -> None:
    """A poll finds another version of an entry."""
    changed = entry_write(guid, title="Changed", content_hash="changed")
    commit_poll(db, poll_commit(source_id, changed=(changed,)))


def test_articles_are_claimed_in_order_of_arrival(database: Database) -> None:
    ids = add_articles(database, add_source(database).id, "c", "a", "b")

    first = claim_new(database, NOW, NOW + MINUTE, 2)
    second = claim_new(database, NOW, NOW + MINUTE, 2)

    assert [a.id for a in first + second] == sorted(ids)
    assert claim_new(database, NOW, NOW + MINUTE, 2) == ()


def test_a_claimed_article_comes_back_after_the_lease(database: Database) -> None:
    (article_id,) = add_articles(database, add_source(database).id, "a")
    claim_new(database, NOW, NOW + MINUTE, 10)

    assert claim_new(database, NOW + MINUTE / 2, NOW + HOUR, 10) == ()
    (again,) = claim_new(database, NOW + MINUTE, NOW + HOUR, 10)
    assert again.id == article_id
    assert again.attempts == 3  # the builder's own was the first


def test_a_read_article_is_not_claimed(database: Database) -> None:
    ids = add_articles(database, add_source(database).id, "a", "b")
    read_articles(database, ids[0])

    assert [a.id for a in claim_new(database, NOW, NOW, 10)] == [ids[1]]
    assert count_by_state(database) == {"new": 1, "read": 1, "folded": 0}


def test_everything_a_reading_settles_is_kept(database: Database) -> None:
    (article_id,) = add_articles(database, add_source(database).id, "a")
    reading = article_reading(
        article_id,
        agency="AP",
        place="Kyiv",
        image="https://times.example/i.jpg",
        language="vi",
        published_guessed=True,
        text="Chữ " * 50_000,
        wall="paywall",
        text_reasons=("one", "two"),
    )

    assert commit_reading(database, reading)

    with database.read() as connection:
        row = connection.execute(select(articles)).one()
        texts = connection.execute(select(article_texts)).one()
    assert (row.state, row.claimed_until) == ("read", None)
    assert (row.agency, row.place, row.image, row.language) == (
        "AP",
        "Kyiv",
        "https://times.example/i.jpg",
        "vi",
    )
    assert (row.title, row.outlet, row.publisher) == (
        reading.title,
        reading.outlet,
        reading.publisher,
    )
    assert (row.authors, row.categories) == (["Ann Author"], ["World"])
    assert (row.published_at, row.published_at.tzinfo) == (reading.published, UTC)
    assert row.published_guessed
    assert (row.text_source, row.text_hash, row.wall) == ("page", reading.text_hash, "paywall")
    assert (row.text_reasons, row.text_length) == (["one", "two"], len(reading.text))
    assert (texts.summary, texts.text, texts.html) == (reading.summary, reading.text, reading.html)
    assert (texts.matching_text, texts.matching_title) == (reading.matching_text, reading.title)


def test_the_text_shown_follows_the_last_reading_the_matching_text_stays(
    database: Database,
) -> None:
    source = add_source(database)
    (article_id,) = add_articles(database, source.id, "a")
    read_articles(database, article_id, title="First", matching_text="first", text="first")
    add_story(database, 1, article_id)

    change(database, source.id, "a")
    read_articles(database, article_id, title="Second", matching_text="second", text="second")

    (waiting,) = waiting_to_fold(database, NOW, PATIENCE, 10)
    assert (waiting.title, waiting.matching_text, waiting.story_key) == ("First", "first", 1)
    (story,) = latest_stories(database)
    assert (story.lead.title, story.lead.text) == ("Second", "second")


def test_the_second_reader_of_one_article_comes_too_late(database: Database) -> None:
    (article_id,) = add_articles(database, add_source(database).id, "a")
    (slow,) = claim_new(database, NOW, NOW + MINUTE, 10)
    (quick,) = claim_new(database, NOW + MINUTE, NOW + HOUR, 10)
    assert slow.id == quick.id == article_id

    assert commit_reading(database, article_reading(article_id, text="quick", version=0))
    assert not commit_reading(database, article_reading(article_id, text="slow", version=0))
    add_story(database, 1, article_id)
    assert not commit_reading(database, article_reading(article_id, text="slow", version=0))

    assert count_by_state(database)["folded"] == 1
    assert latest_stories(database)[0].lead.text == "quick"


def test_a_reading_of_what_changed_meanwhile_does_not_count(database: Database) -> None:
    source = add_source(database)
    (article_id,) = add_articles(database, source.id, "a")
    (old,) = claim_new(database, NOW, NOW + HOUR, 10)

    change(database, source.id, "a")
    (fresh,) = claim_new(database, NOW, NOW + HOUR, 10)

    assert (old.version, fresh.version) == (0, 1)
    assert not commit_reading(database, article_reading(article_id, text="old", version=0))
    assert count_by_state(database) == {"new": 1, "read": 0, "folded": 0}
    assert commit_reading(database, article_reading(article_id, text="fresh", version=1))
    assert count_by_state(database) == {"new": 0, "read": 1, "folded": 0}


def test_a_decision_on_what_changed_meanwhile_leaves_it_in_the_queue(database: Database) -> None:
    source = add_source(database)
    (article_id,) = add_articles(database, source.id, "a")
    read_articles(database, article_id)
    (waiting,) = waiting_to_fold(database, NOW, PATIENCE, 10)

    change(database, source.id, "a")
    decided = FoldCommit(NOW, (decision(article_id, version=waiting.version),), ())
    commit_fold(database, decided)
    assert count_by_state(database) == {"new": 1, "read": 0, "folded": 0}

    read_articles(database, article_id)
    commit_fold(database, decided)
    assert count_by_state(database) == {"new": 0, "read": 1, "folded": 0}

    (waiting,) = waiting_to_fold(database, NOW, PATIENCE, 10)
    commit_fold(database, FoldCommit(NOW, (decision(article_id, version=waiting.version),), ()))
    assert count_by_state(database) == {"new": 0, "read": 0, "folded": 1}


def test_a_reading_of_an_article_that_is_gone_does_not_count(database: Database) -> None:
    assert not commit_reading(database, article_reading(4711))


def test_no_articles_no_states(database: Database) -> None:
    assert count_by_state(database) == {"new": 0, "read": 0, "folded": 0}
    assert claim_new(database, NOW, NOW, 10) == ()


def test_a_source_remembers_its_latest_trials_and_what_passed_since(database: Database) -> None:
    source = add_source(database)
    ids = add_articles(database, source.id, "a", "b", "c", "d", "e")
    worths = ("better", "no better", None, "feed whole", None)
    for article_id, worth in zip(ids, worths, strict=True):
        trial = PageTrial(source.id, worth, keep=2)
        assert commit_reading(database, article_reading(article_id, trial=trial))
    assert not commit_reading(
        database, article_reading(ids[0], trial=PageTrial(source.id, "better", keep=2))
    ), "what was read already teaches nothing twice"

    add_articles(database, source.id, "f")
    (article,) = claim_new(database, NOW, NOW + HOUR, 1)
    assert article.appearances[0].page_trials == ("no better", "feed whole")
    assert article.appearances[0].pages_passed == 1
    assert article.appearances[0].source_url == "https://times.example/feed.xml"


def test_articles_whose_pages_gave_the_same_text_are_found_and_read_again(
    database: Database,
) -> None:
    a, b, c = add_articles(database, add_source(database).id, "a", "b", "c")
    read_articles(database, a, title="A", page_key="k")
    read_articles(database, b, title="B", page_key="k", text_source="feed", wall="repeated")
    read_articles(database, c, title="C", page_key="other")

    assert set(titles_alike(database, "k", b)) == {"A"}
    assert titles_alike(database, "other", c) == ()
    assert read_alike_again(database, "k") == 1
    (article,) = claim_new(database, NOW, NOW + HOUR, 10)
    assert (article.id, article.version) == (a, 1)
    assert article.earlier == EarlierReading("A", "The text.", f"text hash {a}")
    assert read_alike_again(database, "unknown") == 0


def test_an_article_never_read_has_said_nothing_earlier(database: Database) -> None:
    add_articles(database, add_source(database).id, "a")
    (article,) = claim_new(database, NOW, NOW + HOUR, 10)
    assert article.earlier is None
