"""Signs of life, and what becomes of the claims of those who give none."""

from datetime import timedelta

import pytest
from builders import (
    HOUR,
    MINUTE,
    NOW,
    add_articles,
    add_source,
    add_sources,
    article_reading,
    entry_write,
    known_hashes,
    poll_commit,
    source_config,
)

from storage.articles import claim_new, commit_reading, release_new
from storage.database import Database
from storage.polling import commit_polls
from storage.processes import (
    RunningProcess,
    begin_alone,
    give_sign,
    leave,
    recall_articles,
    recall_sources,
    running,
)
from storage.sources import claim_due, postpone, release, source_health

LATER = NOW + MINUTE
EVER, NEVER = timedelta(days=1), timedelta(days=-1)


def process(name: str, config: str = "abc") -> RunningProcess:
    return RunningProcess(name, ("poll", "web"), config, "1.0", NOW)


@pytest.fixture
def shared(database: Database) -> Database:
    if not database.is_shared:
        pytest.skip("an SQLite file has one process")
    return database


def test_who_gives_signs_of_life_is_a_neighbour(shared: Database) -> None:
    give_sign(shared, process("one"), NOW)
    found = give_sign(shared, process("two", config="def"), NOW)
    assert found.dead == ()
    assert [(one.name, one.config) for one in found.living] == [("one", "abc"), ("two", "def")]
    assert found.living[0] == process("one")
    leave(shared, "one", NOW)
    assert [one.name for one in running(shared)] == ["two"]


def test_what_the_dead_had_claimed_is_given_back(shared: Database) -> None:
    post, _ = add_sources(shared, source_config("post"), source_config())
    add_articles(shared, post.id, "a", "b")
    give_sign(shared, process("dead"), NOW)
    assert len(claim_due(shared, LATER, NOW + HOUR, 9, "dead")) == 1
    assert len(claim_new(shared, LATER, NOW + HOUR, 1, "dead")) == 1
    assert len(claim_new(shared, LATER, NOW + HOUR, 1, "alive")) == 1

    assert give_sign(shared, process("third"), LATER, EVER).dead == ()
    assert claim_due(shared, LATER, NOW + HOUR, 9, "alive") == ()
    # A patience of less than nothing: whoever signed is dead at once, and so is who looks.
    assert "dead" in give_sign(shared, process("looks"), LATER, NEVER).dead

    assert len(claim_due(shared, LATER, NOW + HOUR, 9, "alive")) == 1
    assert len(claim_new(shared, LATER, NOW + HOUR, 9, "alive")) == 1, "not what another reads"


def test_who_ends_in_order_leaves_nothing_claimed(shared: Database) -> None:
    add_source(shared)
    claim_due(shared, LATER, NOW + HOUR, 9, "one")
    leave(shared, "one", LATER)
    assert len(claim_due(shared, LATER, NOW + HOUR, 9, "two")) == 1


def test_the_only_process_takes_everything_over_at_once(database: Database) -> None:
    post, _ = add_sources(database, source_config("post"), source_config())
    add_articles(database, post.id, "a")
    claim_due(database, LATER, NOW + HOUR, 9, "killed")
    claim_new(database, LATER, NOW + HOUR, 9, "killed")
    begin_alone(database, LATER)
    assert len(claim_due(database, LATER, NOW + HOUR, 9)) == 1
    assert len(claim_new(database, LATER, NOW + HOUR, 9)) == 1


def test_beginning_alone_polls_nothing_that_was_not_claimed(database: Database) -> None:
    source = add_source(database)
    (claimed,) = claim_due(database, LATER, NOW + HOUR, 9, "killed")
    postpone(database, source.id, claimed.claim, NOW + HOUR)
    begin_alone(database, LATER)
    assert claim_due(database, LATER, NOW + HOUR, 9) == ()


def test_a_poll_counts_only_while_its_claim_does(database: Database) -> None:
    """Who was slow, or thought dead, writes nothing over what another found since."""
    source = add_source(database)
    (mine,) = claim_due(database, LATER, NOW + MINUTE, 9, "slow")
    (theirs,) = claim_due(database, NOW + HOUR, NOW + 2 * HOUR, 9, "other")
    assert theirs.claim > mine.claim
    stale = poll_commit(source.id, entry_write("stale"), claim=mine.claim)
    commit_polls(database, [stale])
    assert known_hashes(database, source.id, ["stale"]) == {}
    assert source_health(database)[0].last_poll_at is None

    release(database, [mine], NOW)
    postpone(database, source.id, mine.claim, NOW)
    assert claim_due(database, NOW + HOUR, NOW + 2 * HOUR, 9) == (), "it is still theirs"

    fresh = poll_commit(source.id, entry_write("fresh"), claim=theirs.claim)
    commit_polls(database, [stale, fresh])
    assert known_hashes(database, source.id, ["stale", "fresh"]).keys() == {"fresh"}


def test_an_article_that_two_read_is_settled_once(database: Database) -> None:
    source = add_source(database)
    add_articles(database, source.id, "a")
    (mine,) = claim_new(database, LATER, NOW + MINUTE, 9, "slow")
    (theirs,) = claim_new(database, NOW + HOUR, NOW + 2 * HOUR, 9, "other")
    release_new(database, [mine])
    assert claim_new(database, NOW + HOUR, NOW + 2 * HOUR, 9) == (), "it is still theirs"
    assert commit_reading(database, article_reading(theirs.id, version=theirs.version))
    assert not commit_reading(database, article_reading(mine.id, version=mine.version))


def test_what_a_process_does_not_know_it_has_is_recalled(database: Database) -> None:
    names = ("post", "one", "other")
    post, one, other = add_sources(database, *(source_config(name) for name in names))
    add_articles(database, post.id, "a", "b", "c")
    assert len(claim_due(database, LATER, NOW + HOUR, 9, "me")) == 2
    mine = claim_new(database, LATER, NOW + HOUR, 2, "me")
    (theirs,) = claim_new(database, LATER, NOW + HOUR, 1, "another")

    recall_sources(database, "me", [one.id], LATER)
    recall_articles(database, "me", [mine[0].id])

    assert [due.id for due in claim_due(database, LATER, NOW + HOUR, 9, "me")] == [other.id]
    (found,) = claim_new(database, LATER, NOW + HOUR, 9, "another")
    assert found.id == mine[1].id != theirs.id
    assert found.attempts == mine[1].attempts, "nobody had begun to read it"
