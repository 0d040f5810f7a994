from builders import (
    HOUR,
    MINUTE,
    NOW,
    add_source,
    add_sources,
    commit_poll,
    poll_commit,
    source_config,
)

from storage.database import Database
from storage.publishing import revision
from storage.sources import claim_due, count_due, make_all_due, source_health, sync_sources
from storage.values.poll import FeedFacts
from storage.values.source import SyncReport


def test_a_new_source_is_due_at_once(database: Database) -> None:
    report = sync_sources(database, [source_config("times")], NOW)

    assert report == SyncReport(added=("https://times.example/feed.xml",))
    (source,) = claim_due(database, NOW, NOW + MINUTE, 10)
    assert source.feed_url == source.url == "https://times.example/feed.xml"
    assert (source.name, source.publisher) == ("Times", "times.example")
    assert source.validators is None
    assert source.schedule == {}


def test_everything_configured_comes_back(database: Database) -> None:
    config = source_config(
        category="world", language="de", priority=-3, full_text="never", publisher="Zeitung"
    )

    source = add_sources(database, config)[0]

    assert (source.category, source.language, source.priority) == ("world", "de", -3)
    assert (source.full_text, source.publisher) == ("never", "Zeitung")


def test_an_unchanged_configuration_changes_nothing(database: Database) -> None:
    sync_sources(database, [source_config()], NOW)
    before = revision(database)

    assert sync_sources(database, [source_config()], NOW + HOUR) == SyncReport()
    assert revision(database) == before


def test_a_changed_source_keeps_what_is_remembered_of_it(database: Database) -> None:
    source = add_source(database)
    commit_poll(database, poll_commit(source.id, schedule={"pace": 3}, failures=2, error="404"))

    changed = source_config(category="world", url=source.url)
    assert sync_sources(database, [changed], NOW) == SyncReport(changed=(source.url,))

    assert count_due(database, NOW) == 0
    (again,) = claim_due(database, NOW + HOUR, NOW + HOUR, 10)
    assert (again.id, again.category, again.failures) == (source.id, "world", 2)
    assert again.schedule == {"pace": 3}


def test_a_changed_source_moves_the_revision_as_readers_see_its_name(database: Database) -> None:
    source = add_source(database)
    before = revision(database)

    sync_sources(database, [source_config(category="sport", url=source.url)], NOW)

    assert revision(database) != before


def test_a_removed_source_rests_and_goes_on_when_it_returns(database: Database) -> None:
    kept, removed = source_config("kept"), source_config("removed")
    source = add_sources(database, kept, removed)[1]
    commit_poll(database, poll_commit(source.id, schedule={"pace": 7}, feed_url="https://new/"))

    assert sync_sources(database, [kept], NOW) == SyncReport(removed=(removed.url,))
    assert sync_sources(database, [kept], NOW) == SyncReport()
    later = NOW + 2 * HOUR
    assert [s.url for s in claim_due(database, later, later, 10)] == [kept.url]
    assert [s.url for s in source_health(database)] == [kept.url]

    assert sync_sources(database, [removed, kept], later) == SyncReport(added=(removed.url,))
    back = {s.url: s for s in claim_due(database, later, later, 10)}[removed.url]
    assert (back.id, back.schedule, back.feed_url) == (source.id, {"pace": 7}, "https://new/")


def test_a_disabled_source_is_not_polled_until_enabled(database: Database) -> None:
    sync_sources(database, [source_config(enabled=False)], NOW)
    assert claim_due(database, NOW, NOW, 10) == ()
    assert (count_due(database, NOW), make_all_due(database, NOW)) == (0, 0)

    sync_sources(database, [source_config()], NOW)
    assert len(claim_due(database, NOW, NOW, 10)) == 1


def test_more_sources_than_a_statement_has_parameters(database: Database) -> None:
    many = [source_config(f"s{number}") for number in range(70_000 // 20)]

    assert len(sync_sources(database, many, NOW).added) == len(many)
    assert count_due(database, NOW) == len(many)
    assert len(sync_sources(database, [], NOW).removed) == len(many)
    assert count_due(database, NOW) == 0


def test_a_claim_is_a_lease(database: Database) -> None:
    add_sources(database, source_config("a"), source_config("b"))

    assert len(claim_due(database, NOW, NOW + MINUTE, 10)) == 2
    assert claim_due(database, NOW, NOW + MINUTE, 10) == ()
    assert claim_due(database, NOW + MINUTE / 2, NOW + MINUTE, 10) == ()
    assert len(claim_due(database, NOW + MINUTE, NOW + 2 * MINUTE, 10)) == 2


def test_a_poll_ends_its_lease(database: Database) -> None:
    source = add_source(database)
    claim_due(database, NOW, NOW + 10 * HOUR, 10)

    commit_poll(database, poll_commit(source.id, next_poll_at=NOW + MINUTE))

    assert claim_due(database, NOW, NOW, 10) == ()
    assert [s.id for s in claim_due(database, NOW + MINUTE, NOW, 10)] == [source.id]


def test_the_longest_due_are_claimed_first(database: Database) -> None:
    names = ("a", "b", "c")
    for wait, source in enumerate(add_sources(database, *map(source_config, names))):
        commit_poll(database, poll_commit(source.id, next_poll_at=NOW - wait * MINUTE))

    first = claim_due(database, NOW, NOW + HOUR, 2)
    second = claim_due(database, NOW, NOW + HOUR, 2)

    assert [s.name for s in first] == ["B", "C"]
    assert [s.name for s in second] == ["A"]


def test_all_can_be_made_due(database: Database) -> None:
    for source in add_sources(database, source_config("a"), source_config("b")):
        commit_poll(database, poll_commit(source.id, next_poll_at=NOW + 5 * HOUR))
    assert count_due(database, NOW) == 0

    assert make_all_due(database, NOW) == 2
    assert count_due(database, NOW) == 2


def test_health_names_the_failing_first(database: Database) -> None:
    well, ill = add_sources(database, source_config("a"), source_config("z"))
    facts = FeedFacts(title="A feed", site_url="https://a.example/", icon=None, rights=None)
    commit_poll(database, poll_commit(well.id, feed=facts))
    commit_poll(
        database,
        poll_commit(ill.id, outcome="failed", failures=3, error="no such host", gone=True),
    )

    first, second = source_health(database)

    assert (first.name, first.failures, first.gone) == ("Z", 3, True)
    assert (first.last_error, first.last_poll_at) == ("no such host", NOW)
    assert first.last_success_at is None
    assert (second.name, second.last_success_at) == ("A", NOW)
    assert (second.last_error, second.site_url) == (None, "https://a.example/")
    assert second.last_entry_at is None
