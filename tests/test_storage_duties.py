"""One process at a time has a duty; whoever lost it writes nothing any more."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from builders import NOW, add_articles, add_source, decision, read_articles, story_write
from conftest import terminate_backends

from storage.articles import count_by_state
from storage.database import Database, StorageTroubleError, open_database
from storage.duties import ALONE, FOLD, Duties, DutyLostError, key_of
from storage.folding import commit_fold
from storage.values.fold import FoldCommit


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


@pytest.fixture
def two(database: Database) -> Iterator[tuple[Duties, Duties]]:
    """The duties of two processes."""
    one, other = Duties(database), Duties(database)
    yield one, other
    one.close()
    other.close()


def commit(article_id: int, term: int | None) -> FoldCommit:
    stories = (story_write(article_id, article_id),)
    return FoldCommit(NOW, (decision(article_id),), stories=stories, term=term)


def test_one_has_a_duty_until_it_leaves_it(two: tuple[Duties, Duties]) -> None:
    one, other = two
    term = one.take(FOLD)
    assert term is not None
    assert one.take(FOLD) == term, "it has it already"
    assert other.take(FOLD) is None
    assert other.take("retain") is not None, "another duty is another's"
    one.drop(FOLD)
    assert other.take(FOLD) == term + 1
    assert one.take(FOLD) is None


def test_a_process_that_ends_leaves_all_its_duties(two: tuple[Duties, Duties]) -> None:
    one, other = two
    one.take(FOLD)
    one.take("retain")
    one.close()
    assert other.take(FOLD)
    assert other.take("retain")


def test_a_lost_connection_loses_the_duty_and_says_so(
    two: tuple[Duties, Duties], database: Database
) -> None:
    one, other = two
    before = one.take(FOLD)
    assert before is not None
    terminate_backends(database)
    with pytest.raises(StorageTroubleError):
        one.take(FOLD)
    assert other.take(FOLD) == before + 1
    assert one.take(FOLD) is None


def test_what_was_decided_before_another_took_over_is_not_written(
    two: tuple[Duties, Duties], database: Database
) -> None:
    one, other = two
    (article_id,) = add_articles(database, add_source(database).id, "a")
    read_articles(database, article_id)
    decided = commit(article_id, one.take(FOLD))
    terminate_backends(database)  # it does not know yet
    term = other.take(FOLD)
    with pytest.raises(DutyLostError, match="duty to fold"):
        commit_fold(database, decided)
    assert count_by_state(database)["folded"] == 0
    commit_fold(database, replace(decided, term=term))
    assert count_by_state(database)["folded"] == 1


def test_an_operators_command_lets_whoever_folds_begin_anew(
    two: tuple[Duties, Duties], database: Database
) -> None:
    one, _ = two
    (article_id,) = add_articles(database, add_source(database).id, "a")
    read_articles(database, article_id)
    term = one.take(FOLD)
    assert term is not None
    commit_fold(database, commit(article_id, None))
    assert one.take(FOLD) == term + 1, "the duty is still its own, in another term"


def test_on_sqlite_everything_is_the_one_process_duty(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    db = open_database(f"sqlite:///{tmp_path_factory.mktemp('alone') / 'newsfold.db'}")
    duties = Duties(db)
    assert duties.take(FOLD) == ALONE
    duties.drop(FOLD)
    duties.close()
    db.close()


def test_keys_never_change() -> None:
    """Two versions of the program must mean the same lock."""
    names = ("fold", "publish", "retain")
    assert {name: key_of(name) for name in names} == {
        "fold": 2_132_113_972,
        "publish": 949_275_713,
        "retain": -1_786_249_415,
    }
