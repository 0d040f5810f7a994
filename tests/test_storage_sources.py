from builders import HOUR, MINUTE, NOW, add_source, poll_commit, source_config

from storage.database import Database
from storage.polling import commit_poll
from storage.sources import claim_due, sync_sources
from storage.values import SyncReport


def test_a_new_source_is_due_at_once(database: Database) -> None:
    report = sync_sources(database, [source_config("times")], NOW)

    assert report == SyncReport(added=("https://times.example/feed.xml",))
    (source,) = claim_due(database, NOW, NOW + MINUTE, 10)
    assert source.feed_url == source.url == "https://times.example/feed.xml"
    assert (source.name, source.publisher) == ("Times", "times.example")
    assert source.validators is None
    assert source.schedule == {}


def test_an_unchanged_configuration_changes_nothing(database: Database) -> None:
    sync_sources(database, [source_config()], NOW)

    assert sync_sources(database, [source_config()], NOW + HOUR) == SyncReport()


def test_a_changed_source_keeps_what_is_remembered_of_it(database: Database) -> None:
    source = add_source(database)
    commit_poll(database, poll_commit(source.id, schedule={"pace": 3}, failures=2))

    report = sync_sources(database, [source_config(name="New name", url=source.url)], NOW)

    assert report == SyncReport(changed=(source.url,))
    (again,) = claim_due(database, NOW + HOUR, NOW + HOUR, 10)
    assert (again.id, again.name, again.failures) == (source.id, "New Name", 2)
    assert again.schedule == {"pace": 3}
