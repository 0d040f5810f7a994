"""Whatever happens in whatever order: every entry is remembered once, every article folded once."""

from collections import defaultdict
from datetime import timedelta
from typing import ClassVar

from builders import (
    HOUR,
    MINUTE,
    NOW,
    add_sources,
    article_reading,
    commit_poll,
    decision,
    entry_write,
    known_hashes,
    latest_stories,
    poll_commit,
    source_config,
    story_write,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, func, select
from sqlmodel import SQLModel

from storage.articles import claim_new, commit_reading, count_by_state
from storage.database import Database
from storage.folding import commit_fold, folded_since, waiting_to_fold
from storage.tables.article import article_texts, articles, entries
from storage.values.extract import ArticleToRead
from storage.values.fold import FoldArticle, FoldCommit

LEASE = 5 * MINUTE
GUIDS = "abcd"
SHARED = "ab"  # both sources show these documents


class Road(RuleBasedStateMachine):
    """Polls, readers and a folder that come and go; time passes, and some of them never finish."""

    db: ClassVar[Database]

    def __init__(self) -> None:
        super().__init__()
        with self.db.write() as connection:
            for table in reversed(SQLModel.metadata.sorted_tables):
                connection.execute(delete(table))
        self.sources = add_sources(self.db, source_config("one"), source_config("two"))
        self.now = NOW
        self.shown: dict[tuple[int, str], int] = {}  # which version of an entry came last
        self.wanted: defaultdict[str, set[str]] = defaultdict(set)  # what must have been read
        self.reading: list[ArticleToRead] = []
        self.folding: tuple[FoldArticle, ...] = ()
        self.placed: list[int] = []

    def key(self, source: int, guid: str) -> str:
        return f"https://x/{guid}" if guid in SHARED else f"https://x/{source}/{guid}"

    @rule(source=st.integers(0, 1), showing=st.dictionaries(st.sampled_from(GUIDS), st.booleans()))
    def poll(self, source: int, showing: dict[str, bool]) -> None:
        """A feed shows these entries; True for those that its editors just changed."""
        source_id = self.sources[source].id
        writes = {}
        for guid, edited in showing.items():
            version = self.shown.get((source, guid), 0) + edited
            self.shown[source, guid] = version
            text = f"<{source} {guid} {version}>"
            key = self.key(source, guid)
            writes[guid] = entry_write(guid, key, url=key, title=text, content_hash=text)
        known = known_hashes(self.db, source_id, writes)
        new = tuple(write for guid, write in writes.items() if guid not in known)
        changed = tuple(
            write
            for guid, write in writes.items()
            if guid in known and known[guid] != write.entry.content_hash
        )
        for write in changed:
            self.wanted[write.article_key] = {
                text
                for text in self.wanted[write.article_key]
                if text.rsplit(" ", 1)[0] != write.entry.title.rsplit(" ", 1)[0]
            } | {write.entry.title}
        commit_poll(self.db, poll_commit(source_id, *new, changed=changed, at=self.now))

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        claimed = claim_new(self.db, self.now, self.now + LEASE, limit)
        assert all(article.appearances for article in claimed)
        self.reading += claimed

    @rule(which=st.integers(0, 9))
    def finish_reading(self, which: int) -> None:
        """Perhaps long after its lease; perhaps what somebody else has read meanwhile."""
        if self.reading:
            article = self.reading.pop(which % len(self.reading))
            text = "".join(appearance.title for appearance in article.appearances)
            commit_reading(self.db, article_reading(article.id, version=article.version, text=text))

    @rule(which=st.integers(0, 9))
    def die(self, which: int) -> None:
        """A reader takes its work to the grave."""
        if self.reading:
            self.reading.pop(which % len(self.reading))

    @rule(minutes=st.integers(1, 10))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(patience=st.integers(0, 10), limit=st.integers(1, 4))
    def begin_folding(self, patience: int, limit: int) -> None:
        self.folding = waiting_to_fold(self.db, self.now, patience * MINUTE, limit)

    @rule()
    def finish_folding(self) -> None:
        decisions = tuple(decision(a.id, version=a.version) for a in self.folding)
        new = [a.id for a in self.folding if a.story_key is None]
        stories = tuple(story_write(article_id, article_id) for article_id in new)
        commit_fold(self.db, FoldCommit(self.now, decisions, stories=stories))
        self.placed += new
        self.folding = ()

    @invariant()
    def every_entry_is_remembered_once_as_it_was_last_shown(self) -> None:
        with self.db.read() as connection:
            count = connection.execute(select(func.count()).select_from(entries)).scalar()
        assert count == len(self.shown)
        for number, source in enumerate(self.sources):
            mine = {g: v for (n, g), v in self.shown.items() if n == number}
            expected = {g: f"<{number} {g} {version}>" for g, version in mine.items()}
            assert known_hashes(self.db, source.id, GUIDS) == expected

    @invariant()
    def no_article_is_folded_twice(self) -> None:
        assert len(self.placed) == len(set(self.placed))

    def teardown(self) -> None:
        """Everybody who died is replaced; the work is finished, and nothing is missing."""
        self.now += HOUR
        while count_by_state(self.db)["new"]:
            self.claim(3)
            self.finish_reading(0)
        self.finish_folding()
        while count_by_state(self.db)["read"]:
            self.begin_folding(10, 3)
            self.finish_folding()
        keys = {self.key(source, guid) for source, guid in self.shown}
        assert count_by_state(self.db) == {"new": 0, "read": 0, "folded": len(keys)}
        assert [article.id for article in folded_since(self.db, NOW)] == self.placed
        assert len(latest_stories(self.db)) == len(keys)
        with self.db.read() as connection:
            texts = connection.execute(
                select(articles.c.key, article_texts.c.text).join(
                    article_texts, article_texts.c.article_id == articles.c.id
                )
            )
            read = {row.key: row.text for row in texts}
        assert set(read) == keys
        for key, wanted in self.wanted.items():
            assert all(text in read[key] for text in wanted), (key, wanted, read[key])


def test_nothing_is_lost_and_nothing_done_twice(database: Database) -> None:
    class RoadHere(Road):
        db = database

    run_state_machine_as_test(
        RoadHere, settings=settings(max_examples=20, stateful_step_count=25, deadline=None)
    )
