from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from builders import (
    HOUR,
    NOW,
    add_source,
    add_sources,
    commit_poll,
    entry_write,
    feed_entry,
    known_hashes,
    poll_commit,
    read_articles,
    source_config,
)
from sqlalchemy import func, select
from sqlalchemy.exc import StatementError

from feeds.model import Enclosure, Validators
from storage.articles import claim_new, count_by_state
from storage.database import Database
from storage.polling import commit_polls, known_entries
from storage.sources import claim_due, source_health
from storage.tables.article import Article, articles, entries
from storage.tables.rows import new_row
from storage.tables.source import fetches, sources
from storage.values.poll import EntryWrite, FeedFacts
from storage.values.source import SourceState


def source_now(db: Database) -> SourceState:
    (source,) = claim_due(db, NOW + 100 * HOUR, NOW, 10)
    return source


def count(db: Database, table: object) -> int:
    with db.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def test_nothing_is_known_of_a_new_source(database: Database) -> None:
    source = add_source(database)

    assert known_hashes(database, source.id, ["a", "b"]) == {}
    assert known_hashes(database, source.id, []) == {}


def test_what_was_polled_is_known(database: Database) -> None:
    source = add_source(database)
    commit_poll(database, poll_commit(source.id, entry_write("a"), entry_write("b")))

    known = known_hashes(database, source.id, (guid for guid in "abc"))

    assert known == {"a": "hash of a", "b": "hash of b"}


def test_a_guid_says_nothing_about_another_source(database: Database) -> None:
    one, two = add_sources(database, source_config("one"), source_config("two"))
    commit_poll(database, poll_commit(one.id, entry_write("1", "https://one.example/1")))

    assert known_hashes(database, two.id, ["1"]) == {}
    commit_poll(database, poll_commit(two.id, entry_write("1", "https://two.example/1")))
    assert count(database, entries) == 2
    assert count(database, articles) == 2


def test_one_document_in_two_feeds_is_one_article(database: Database) -> None:
    one, two = add_sources(database, source_config("one", priority=1), source_config("two"))
    url = "https://one.example/a"
    commit_poll(database, poll_commit(one.id, entry_write("1", url, title="First")))
    commit_poll(database, poll_commit(two.id, entry_write("9", url, title="Second")))

    (article,) = claim_new(database, NOW, NOW, 10)

    assert [a.title for a in article.appearances] == ["First", "Second"]
    assert [a.source_id for a in article.appearances] == [one.id, two.id]
    assert [a.priority for a in article.appearances] == [1, 0]


def test_one_document_twice_in_one_feed_is_one_article(database: Database) -> None:
    source = add_source(database)
    url = "https://times.example/a"

    commit_poll(database, poll_commit(source.id, entry_write("1", url), entry_write("2", url)))

    (article,) = claim_new(database, NOW, NOW, 10)
    assert len(article.appearances) == 2


def test_the_same_entry_twice_in_one_commit_is_one_entry(database: Database) -> None:
    source = add_source(database)
    again = entry_write("a", title="Later")

    commit_poll(database, poll_commit(source.id, entry_write("a"), again))

    (article,) = claim_new(database, NOW, NOW, 10)
    assert [a.title for a in article.appearances] == ["Later"]


def test_everything_an_entry_says_comes_back(database: Database) -> None:
    source = add_source(database, full_text="always", language="de")
    entry = feed_entry(
        "a",
        title='Ünïcode & "quotes" \U0001f600',
        summary_html="<p>S</p>",
        content_html="<p>" + "long " * 100_000 + "</p>",
        authors=("A", "B"),
        categories=("x", "ÿ"),
        published=datetime(2026, 1, 2, 3, 4, 5, 678901, timezone(timedelta(hours=-7))),
        published_guessed=True,
        language="fr",
        image="https://times.example/a.jpg",
        enclosures=(Enclosure("https://times.example/a.mp3", "audio/mpeg", 2**40),),
    )
    commit_poll(database, poll_commit(source.id, EntryWrite(entry, "key")))

    (article,) = claim_new(database, NOW, NOW, 10)
    (seen,) = article.appearances

    assert (article.url, article.arrived_at) == (entry.url, NOW)
    assert (seen.url, seen.title, seen.language) == (entry.url, entry.title, "fr")
    assert (seen.summary_html, seen.content_html) == (entry.summary_html, entry.content_html)
    assert (seen.authors, seen.categories) == (entry.authors, entry.categories)
    assert (seen.published, seen.published_guessed) == (entry.published, True)
    assert seen.published is not None
    assert seen.published.tzinfo is UTC
    assert (seen.image, seen.full_text, seen.source_language) == (entry.image, "always", "de")
    with database.read() as connection:
        stored = connection.execute(select(entries.c.enclosures)).scalar_one()
    assert stored == [{"url": "https://times.example/a.mp3", "type": "audio/mpeg", "length": 2**40}]


def test_an_entry_without_any_optional_part(database: Database) -> None:
    source = add_source(database)
    bare = feed_entry(
        "a",
        url=None,
        canonical_url=None,
        title="",
        summary_html="",
        authors=(),
        categories=(),
        published=None,
        language=None,
    )
    commit_poll(database, poll_commit(source.id, EntryWrite(bare, f"{source.id} a")))

    (article,) = claim_new(database, NOW, NOW, 10)
    assert article.url is None
    assert (article.appearances[0].published, article.appearances[0].authors) == (None, ())


def test_a_changed_entry_is_remembered_and_its_article_is_read_again(database: Database) -> None:
    source = add_source(database)
    commit_poll(database, poll_commit(source.id, entry_write("a"), entry_write("b")))
    first, _ = claim_new(database, NOW, NOW, 10)
    read_articles(database, *(article.id for article in claim_new(database, NOW, NOW, 10)))
    assert count_by_state(database) == {"new": 0, "read": 2, "folded": 0}

    changed = entry_write("a", title="Corrected", content_hash="another")
    commit_poll(database, poll_commit(source.id, changed=(changed,), at=NOW + HOUR))

    assert known_hashes(database, source.id, ["a", "b"]) == {"a": "another", "b": "hash of b"}
    (again,) = claim_new(database, NOW, NOW, 10)
    assert (again.id, again.attempts, again.version) == (first.id, 1, 1)
    assert [a.title for a in again.appearances] == ["Corrected"]
    assert again.arrived_at == NOW
    with database.read() as connection:
        row = connection.execute(select(entries).where(entries.c.guid == "a")).one()
    assert (row.first_seen_at, row.changed_at) == (NOW, NOW + HOUR)


def test_an_entry_seen_again_unchanged_in_another_feed_queues_nothing(database: Database) -> None:
    one, two = add_sources(database, source_config("one"), source_config("two"))
    commit_poll(database, poll_commit(one.id, entry_write("a")))
    (article,) = claim_new(database, NOW, NOW, 10)
    read_articles(database, article.id)

    commit_poll(database, poll_commit(two.id, entry_write("a")))

    assert claim_new(database, NOW, NOW, 10) == ()


def test_an_entry_whose_link_moves_leaves_no_article_that_nobody_shows(database: Database) -> None:
    source = add_source(database)
    commit_poll(database, poll_commit(source.id, entry_write("a", "https://times.example/old")))

    moved = entry_write("a", "https://times.example/new", content_hash="moved")
    commit_poll(database, poll_commit(source.id, changed=(moved,)))

    (article,) = claim_new(database, NOW, NOW, 10)
    assert [a.title for a in article.appearances] == ["Title of a"]
    assert count_by_state(database) == {"new": 1, "read": 0, "folded": 0}
    back = entry_write("a", "https://times.example/old", content_hash="back")
    commit_poll(database, poll_commit(source.id, changed=(back,)))
    (found,) = claim_new(database, NOW, NOW, 10)
    assert found.id < article.id


def test_a_poll_without_news_keeps_the_validators(database: Database) -> None:
    source = add_source(database)
    validators = Validators("https://times.example/feed.xml", '"é"', "Sat, 21 Nov 2026")
    commit_poll(database, poll_commit(source.id, validators=validators, body_hash="h"))
    commit_poll(database, poll_commit(source.id, status=304))

    assert source_now(database).validators == validators
    assert source_now(database).body_hash == "h"


def test_new_validators_replace_all_of_the_old(database: Database) -> None:
    source = add_source(database)
    commit_poll(database, poll_commit(source.id, validators=Validators("https://a/", '"1"', "Sat")))
    commit_poll(database, poll_commit(source.id, validators=Validators("https://b/", None, "Sun")))

    assert source_now(database).validators == Validators("https://b/", None, "Sun")


def test_validators_can_be_forgotten(database: Database) -> None:
    source = add_source(database)
    commit_poll(database, poll_commit(source.id, validators=Validators("https://a/", '"1"')))
    commit_poll(database, poll_commit(source.id, drop_validators=True))

    assert source_now(database).validators is None


def test_validators_that_say_nothing_are_none(database: Database) -> None:
    source = add_source(database)
    commit_poll(database, poll_commit(source.id, validators=Validators("https://a/")))

    assert source_now(database).validators is None


def test_new_validators_win_over_forgetting(database: Database) -> None:
    source = add_source(database)
    validators = Validators("https://a/", '"1"')
    commit_poll(database, poll_commit(source.id, validators=validators, drop_validators=True))

    assert source_now(database).validators == validators


def test_a_poll_that_cannot_be_written_leaves_nothing(database: Database) -> None:
    source = add_source(database)
    before = source_health(database)
    naive = datetime(2026, 11, 22, 12)  # noqa: DTZ001 - the mistake under test
    commit = poll_commit(
        source.id,
        entry_write("a"),
        entry_write("b", published=naive),
        validators=Validators(source.url, '"1"'),
        body_hash="new",
    )

    with pytest.raises(StatementError, match="naive time"):
        commit_poll(database, commit)

    assert (count(database, entries), count(database, articles)) == (0, 0)
    assert count(database, fetches) == 0
    assert source_health(database) == before
    assert source_now(database).validators is None
    assert source_now(database).body_hash is None


@pytest.mark.parametrize(
    "late",
    [{"next_poll_at": datetime(2026, 11, 22)}, {"seconds": object()}],  # noqa: DTZ001 - the mistake under test
    ids=["the source", "the fetch"],
)
def test_a_poll_that_fails_at_its_end_leaves_nothing(
    database: Database, late: dict[str, object]
) -> None:
    source = add_source(database)
    commit = poll_commit(source.id, entry_write("a"), validators=Validators(source.url, '"1"'))

    with pytest.raises(StatementError):
        commit_poll(database, replace(commit, **late))  # type: ignore[arg-type]

    assert (count(database, entries), count(database, articles)) == (0, 0)
    assert source_now(database).validators is None


def test_what_a_feed_says_of_itself_stays_until_it_says_otherwise(database: Database) -> None:
    source = add_source(database)
    facts = FeedFacts("A feed", "https://times.example/", "https://times.example/i.png", "© Times")
    commit_poll(database, poll_commit(source.id, feed=facts))
    commit_poll(database, poll_commit(source.id, status=304))

    assert source_health(database)[0].site_url == "https://times.example/"


def test_an_adopted_redirect_is_where_the_feed_is_read(database: Database) -> None:
    source = add_source(database)
    commit_poll(database, poll_commit(source.id, feed_url="https://moved.example/feed"))
    commit_poll(database, poll_commit(source.id))

    state = source_now(database)
    assert (state.url, state.feed_url) == (source.url, "https://moved.example/feed")


def test_a_failed_poll_is_not_a_success_but_the_last_one_stays(database: Database) -> None:
    source = add_source(database)
    commit_poll(database, poll_commit(source.id, entry_write("a")))
    failed = poll_commit(
        source.id, outcome="failed", error="timed out", failures=1, status=None, at=NOW + HOUR
    )
    commit_poll(database, failed)

    (health,) = source_health(database)
    assert (health.last_poll_at, health.last_success_at) == (NOW + HOUR, NOW)
    assert (health.last_entry_at, health.last_error) == (NOW, "timed out")


def test_every_poll_leaves_its_outcome(database: Database) -> None:
    source = add_source(database)
    commit_poll(
        database,
        poll_commit(
            source.id, entry_write("a"), entry_write("b"), seconds=0.25, wire_bytes=2**31 - 1
        ),
    )

    with database.read() as connection:
        row = connection.execute(select(fetches)).one()
    assert (row.source_id, row.at, row.outcome, row.status) == (source.id, NOW, "new", 200)
    assert (row.seconds, row.wire_bytes) == (0.25, 2**31 - 1)
    assert (row.new_entries, row.changed_entries, row.detail) == (2, 0, "")


def test_the_schedule_comes_back_as_it_was(database: Database) -> None:
    source = add_source(database)
    schedule = {"pace": 1.5, "seen": [1, None, True, "é\U0001f600"], "deep": {"a": {"b": []}}}
    commit_poll(database, poll_commit(source.id, schedule=schedule))

    assert source_now(database).schedule == schedule


def test_ten_thousand_entries_in_one_poll(database: Database) -> None:
    source = add_source(database)
    writes = [entry_write(f"{number:05}") for number in range(10_000)]
    commit_poll(database, poll_commit(source.id, *writes))

    assert len(known_hashes(database, source.id, (w.entry.guid for w in writes))) == 10_000
    changed = tuple(entry_write(f"{n:05}", content_hash="new") for n in range(0, 10_000, 9))
    commit_poll(database, poll_commit(source.id, changed=changed))
    assert count(database, entries) == count(database, articles) == 10_000
    assert set(known_hashes(database, source.id, ["00000", "00009"]).values()) == {"new"}


def test_the_newest_entries_are_known_with_what_names_their_bytes(database: Database) -> None:
    source = add_source(database)
    digested = replace(feed_entry("b"), raw_digest=b"\x01\xff", published=NOW)
    guessed = replace(feed_entry("c"), published=NOW, published_guessed=True)
    commit_poll(database, poll_commit(source.id, entry_write("a")))
    commit_poll(
        database,
        poll_commit(source.id, EntryWrite(digested, "key b"), EntryWrite(guessed, "key c")),
    )

    known = known_entries(database, source.id, newest=2)

    assert set(known) == {"b", "c"}
    assert known["b"].raw_digest == b"\x01\xff"
    assert known["b"].published == NOW
    assert known["c"].raw_digest is None
    assert known["c"].published is None
    assert set(known_entries(database, source.id, ["a", "z"], newest=1)) == {"a", "c"}


def test_polls_that_share_a_transaction_and_an_article(database: Database) -> None:
    first, second, third = (add_source(database, url=f"https://{n}.example/") for n in "abc")
    commits = [
        poll_commit(second.id, entry_write("b", "https://site.example/1")),
        poll_commit(third.id, error="the server answered 500", failures=1),
        poll_commit(first.id, entry_write("a", "https://site.example/1"), entry_write("x")),
    ]
    commit_polls(database, commits)
    assert set(known_entries(database, first.id, newest=9)) == {"a", "x"}
    assert set(known_entries(database, second.id, newest=9)) == {"b"}
    assert known_entries(database, third.id, newest=9) == {}
    with database.read() as connection:
        shown = connection.execute(select(articles.c.key, articles.c.source_id)).all()
        polls = connection.execute(select(fetches.c.source_id, fetches.c.new_entries)).all()
        errors = connection.execute(select(sources.c.id, sources.c.last_error)).all()
    assert dict(map(tuple, shown))["https://site.example/1"] == second.id  # which showed it first
    assert len(shown) == 2
    assert sorted(map(tuple, polls)) == [(first.id, 2), (second.id, 1), (third.id, 0)]
    assert dict(map(tuple, errors)) == {
        first.id: None,
        second.id: None,
        third.id: "the server answered 500",
    }


def test_a_new_article_has_every_default_of_its_table(database: Database) -> None:
    source = add_source(database)
    commit_poll(database, poll_commit(source.id, entry_write("a", "https://site.example/it's")))
    with database.read() as connection:
        row = connection.execute(select(articles)).one()._mapping
    for name, default in new_row(Article).items():
        if name not in {"url", "title", "source_id", "key", "arrived_at"}:
            assert row[name] == default, name
