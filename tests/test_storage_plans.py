"""What is asked often is answered from indexes: its cost does not grow with what was ever read.

``TESTS_PLANS_ARTICLES`` says how many articles there are (20,000; a release is tried with a
million): the plans are to be the same, and so is the bound of what each touches.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from builders import (
    HOUR,
    MINUTE,
    NOW,
    add_articles,
    add_source,
    add_story,
    commit_poll,
    entry_write,
    known_hashes,
    poll_commit,
    read_articles,
)
from conftest import ENGINES, Postgres
from sqlalchemy import Connection, event, text

from storage.article_lists import ArticlesWanted, article_with_text, find_articles
from storage.articles import claim_new
from storage.database import Database, open_database
from storage.days import days_since
from storage.fetches import recent_fetches
from storage.folding import (
    ended_stories_of,
    folded_since,
    members_by_id,
    stories_of,
    waiting_to_fold,
)
from storage.front import Listing, Place, list_stories
from storage.health import figures_of, latest_articles, numbered_sources, source_figures
from storage.publications import (
    open_publications,
    published,
    unjudged_articles,
    unjudged_stories,
    wordings,
)
from storage.publishing import articles_by_id, revision, stories_by_id, story_by_slug
from storage.queues import queues
from storage.search import find_stories, terms_of
from storage.sections import CATEGORY, section_names
from storage.sources import claim_due, count_due, hold_host
from storage.story_details import story_details
from storage.story_lists import StoriesWanted, find_listed
from storage.tables.article import article_texts, articles, entries
from storage.tables.source import fetches, sources
from storage.tables.story import stories, story_events
from storage.values.publish import Progress, StoryFilter, Window

ARTICLES = int(os.environ.get("TESTS_PLANS_ARTICLES", "20000"))
STORIES = ARTICLES // 2
LOOKED_AT = NOW + timedelta(seconds=STORIES - 100)  # a story a second
WAITING = 200  # the last ones: half new, half read
SOURCES = 5_000
GROWING = (
    "entry",
    "article",
    "article_text",
    "story",
    "story_section",
    "story_event",
    "article_search",
    "fetch",
    "source_day",
)


def multiply(connection: Connection, table: object, times: int, **changes: str) -> None:
    """Copy the row numbered 1 so many times; ``changes`` are SQL, ``n`` counts from 2."""
    names = [column.name for column in table.c if column.name != "id"]  # type: ignore[attr-defined]
    values = ", ".join(changes.get(name, f'one."{name}"') for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    key = names[0] if names[0] == "article_id" else "id"
    connection.execute(
        text(
            f"WITH RECURSIVE n(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < {times})"
            f' INSERT INTO "{table}" ({columns}) SELECT {values} FROM "{table}" one, n'
            f" WHERE one.{key} = 1"
        )
    )


def fill(db: Database) -> None:
    source = add_source(db, category="world")
    (article_id,) = add_articles(db, source.id, "a")
    read_articles(db, article_id)
    add_story(db, 1, article_id, events=(("founded", "Times"),))
    if db.dialect == "sqlite":
        later = "strftime('%Y-%m-%d %H:%M:%f000', one.{}, '+' || n || ' seconds')"
    else:
        later = "one.{} + n * interval '1 second'"
    waiting, either = ARTICLES - WAITING, "CASE WHEN n % 2 = 0 THEN 'new' ELSE 'read' END"
    with db.write() as connection:
        multiply(
            connection,
            sources,
            SOURCES,
            url="'u' || n",
            host="'h' || n",
            category="CASE WHEN n % 50 = 0 THEN 'rare' ELSE 'world' END",
            next_poll_at=f"CASE WHEN n % 50 = 0 THEN one.next_poll_at ELSE {_in_a_year(db)} END",
        )
        multiply(
            connection,
            stories,
            STORIES,
            uri="'u' || n",
            slug="'s' || n",
            key="n",
            created_at=later.format("created_at"),
            changed_at=later.format("changed_at"),
            language="CASE WHEN n % 20 = 0 THEN 'vi' ELSE 'en' END",
            outlets="n % 4",
            first_article_id="n",
            lead_article_id="n",
            rank="one.rank + n / 1000.0",
            published_at=later.format("published_at"),
        )
        multiply(
            connection,
            fetches,
            ARTICLES,
            source_id=f"n % {SOURCES} + 1",
            at=later.format("at"),
        )
        multiply(
            connection,
            articles,
            ARTICLES,
            key="'k' || n",
            source_id=f"n % {SOURCES} + 1",
            arrived_at=later.format("arrived_at"),
            state=f"CASE WHEN n < {waiting} THEN 'folded' ELSE {either} END",
            fold_order=f"CASE WHEN n < {waiting} THEN n END",
            story_id=f"CASE WHEN n < {waiting} THEN n % {STORIES} + 1 END",
        )
        multiply(connection, article_texts, ARTICLES, article_id="n")
        multiply(
            connection,
            entries,
            ARTICLES,
            guid="'g' || n",
            article_id="n",
            source_id=f"n % {SOURCES} + 1",
        )
        connection.execute(
            text(
                "INSERT INTO source_day (source_id, day, entries) "
                "SELECT id, :day, 1 FROM source WHERE id > 1"
            ),
            {"day": NOW.date()},
        )
        multiply(connection, story_events, STORIES, story_id="n")
        for kind, name in (
            ("category", "CASE WHEN id % 50 = 0 THEN 'rare' ELSE 'world' END"),
            ("language", "language"),
        ):
            connection.execute(
                text(
                    "INSERT INTO story_section (story_id, kind, name, rank, published_at) "
                    f"SELECT id, '{kind}', {name}, rank, published_at FROM story WHERE id > 1"
                )
            )
        connection.execute(text(_WORDS[db.dialect]))
        connection.execute(
            text(
                "INSERT INTO publication (output, item_id, position)"
                " SELECT 'feed', id, id FROM story"
                " UNION ALL SELECT 'articles', id, id FROM article WHERE fold_order IS NOT NULL"
            )
        )
        connection.exec_driver_sql("ANALYZE")


_WORDS = {
    "sqlite": "INSERT INTO article_search (rowid, words) SELECT id, 'fire ' || id FROM article "
    "WHERE id > 1",
    "postgresql": "INSERT INTO article_search (article_id, words) "
    "SELECT id, to_tsvector('simple', 'fire ' || id) FROM article WHERE id > 1",
}


def _in_a_year(db: Database) -> str:
    return "'2027-11-22 12:00:00.000000'" if db.dialect == "sqlite" else "'2027-11-22'::timestamptz"


@pytest.fixture(scope="module", params=ENGINES)
def full(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """Some history. Tests only read it, or claim from what is waiting."""
    if request.param == "sqlite":
        path: Path = tmp_path_factory.mktemp("plans") / "newsfold.db"
        url = f"sqlite:///{path}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create()
    db = open_database(url)
    fill(db)
    yield db
    db.close()


def plans(db: Database, ask: Callable[[], object]) -> str:
    """How the engine answers each statement of ``ask``, a line for every step."""
    asked: list[tuple[str, object]] = []

    def listen(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        assert ask() is not None
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)
    explain = "EXPLAIN QUERY PLAN" if db.dialect == "sqlite" else "EXPLAIN"
    lines = []
    with db.engine.connect() as connection:
        for statement, parameters in asked:
            rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)  # type: ignore[arg-type]
            lines += [str(row[-1]) for row in rows]
    assert lines
    return "\n".join(lines)


def pages_touched(db: Database, ask: Callable[[], object]) -> int:
    """How many pages (8 kB) PostgreSQL looks at to answer ``ask``, in memory or on disk."""
    asked: list[tuple[str, object]] = []

    def listen(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        ask()
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)
    touched = 0
    with db.engine.connect() as connection:
        for statement, parameters in asked:
            many = parameters if isinstance(parameters, list) else [parameters]
            for one in many:
                explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
                found = connection.exec_driver_sql(explained, one).scalar()
                root = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
                touched += root["Shared Hit Blocks"] + root["Shared Read Blocks"]
        connection.rollback()
    return touched


def full_scans(plan: str) -> list[str]:
    """The tables that a plan goes through from end to end."""
    sqlite = re.findall(r"^SCAN (\w+)(?! USING| VIRTUAL TABLE INDEX)", plan, re.MULTILINE)
    postgresql = re.findall(r"Seq Scan on \"?(\w+)", plan)
    return [table for table in sqlite + postgresql if table in (*GROWING, "source")]


def first_look(db: Database, **wanted: object) -> object:
    return unjudged_stories(db, "new", StoryFilter(**wanted), None, MINUTE)  # type: ignore[arg-type]


HOT: dict[str, Callable[[Database], object]] = {
    "known_hashes": lambda db: known_hashes(db, 7, [f"g{n}" for n in range(40)]),
    "claim_new": lambda db: claim_new(db, NOW, NOW + HOUR, 10),
    "waiting_to_fold": lambda db: waiting_to_fold(db, NOW + 20 * HOUR, MINUTE, 50),
    "stories_of": lambda db: stories_of(db, range(20, 40), []),
    "ended_stories_of": lambda db: ended_stories_of(db, range(20, 40)),
    "members_by_id": lambda db: members_by_id(db, range(20, 40)),
    "story_by_slug": lambda db: story_by_slug(db, "s77"),
    "revision": revision,
    "first look": lambda db: first_look(db, limit=20),
    "first look for a category": lambda db: first_look(db, categories=("world",), limit=20),
    "first look for a language": lambda db: first_look(db, languages=("vi",), limit=20),
    "first look for several outlets": lambda db: first_look(db, min_outlets=3, limit=20),
    "first look for everything at once": lambda db: first_look(
        db, categories=("world", "rare"), languages=("en", "vi"), min_outlets=2, limit=20
    ),
    "published": lambda db: published(db, "feed", Window(newest=20), of_articles=False),
    "published of a category": lambda db: published(
        db, "feed", Window(newest=20, after=STORIES - 100, categories=("rare",)), of_articles=False
    ),
    "published articles": lambda db: published(db, "articles", Window(newest=20), of_articles=True),
    "open publications": lambda db: open_publications(
        db, "feed", STORIES - 50, 100, of_articles=False
    ),
    "unjudged_stories": lambda db: unjudged_stories(
        db, "feed", StoryFilter(("rare",)), Progress("", LOOKED_AT, STORIES - 9), MINUTE
    ),
    "unjudged_articles": lambda db: unjudged_articles(
        db, "articles", StoryFilter(("rare",)), Progress(looked_to=ARTICLES - WAITING - 100)
    ),
    "stories_by_id": lambda db: stories_by_id(db, range(20, 40)),
    "articles_by_id": lambda db: articles_by_id(db, range(20, 40)),
    "wordings": lambda db: wordings(db, range(20, 40), of_articles=False),
}


LISTINGS = {
    "the front page": Listing(),
    "the front page, deep down": Listing(after=Place(5.0, 5000)),
    "the front page, back again": Listing(before=Place(5.0, 5000)),
    "the newest": Listing(newest=True),
    "the newest, deep down": Listing(newest=True, after=Place(NOW, 5000)),
    "a category": Listing(category="rare"),
    "the newest of a category": Listing(newest=True, category="rare"),
    "a category, deep down": Listing(category="rare", after=Place(5.0, 5000)),
    "a language": Listing(language="vi"),
    "a category in a language": Listing(category="world", language="vi"),
}
HOT |= {
    name: lambda db, listing=listing: list_stories(db, listing)  # type: ignore[misc]
    for name, listing in LISTINGS.items()
}
HOT |= {
    "the names of parts": lambda db: section_names(db, CATEGORY),
    "a search": lambda db: find_stories(db, terms_of('"777"'), limit=30),
    "a search for what is everywhere": lambda db: find_stories(
        db, terms_of('"fire"'), limit=30, before=9000
    ),
    "a search for what is nowhere": lambda db: find_stories(db, terms_of("water"), limit=30),
    "a search for what is everywhere in a rare part": lambda db: find_stories(
        db, terms_of("fire"), limit=30, category="rare", language="vi"
    ),
    "story_details": lambda db: story_details(db, 77, [77, 10_077]),
    "a page of sources": lambda db: source_figures(db, NOW, limit=20, offset=40),
    "a source": lambda db: figures_of(db, 77, NOW),
    "a source's articles": lambda db: latest_articles(db, 77, 30),
    "a source's polls": lambda db: recent_fetches(db, 77, 30),
    "stories by several outlets": lambda db: find_listed(
        db, StoriesWanted(newest=True, category="world", min_outlets=3, until=NOW + HOUR, limit=20)
    ),
    "the latest articles": lambda db: find_articles(db, ArticlesWanted(limit=20)),
    "a source's articles, in pages": lambda db: find_articles(
        db, ArticlesWanted(source_id=77, before=15_000, limit=20)
    ),
    "a story's articles": lambda db: find_articles(db, ArticlesWanted(story_id=77, limit=20)),
    "an article": lambda db: article_with_text(db, 77),
    "sources in pages": lambda db: numbered_sources(db, NOW, after=40, limit=20),
    "the queues": lambda db: queues(db, NOW),
    "the days": lambda db: days_since(db, NOW.date()),
}


@pytest.mark.parametrize("name", HOT)
def test_no_hot_query_goes_through_a_growing_table(full: Database, name: str) -> None:
    plan = plans(full, lambda: HOT[name](full))

    assert not set(full_scans(plan)) & set(GROWING), plan


@pytest.mark.parametrize("name", [name for name in HOT if name.startswith("first look")])
def test_a_new_output_is_not_sorted(full: Database, name: str) -> None:
    """It is read off the index until it is full."""
    plan = plans(full, lambda: HOT[name](full))

    if full.dialect == "sqlite":
        first = plan.split("SEARCH article", 1)[0]
        assert "ix_story_latest" in first
        assert "TEMP B-TREE" not in first
    else:
        assert re.search(r"Index (Only )?Scan Backward using ix_story_latest", plan), plan


@pytest.mark.parametrize("name", LISTINGS)
def test_a_list_is_read_off_its_index(full: Database, name: str) -> None:
    """Only a page of it, in order: neither the stories before it nor those behind it."""
    listing = LISTINGS[name]
    by = "published" if listing.newest else "rank"
    part = "_section" if listing.category or listing.language else ""
    plan = plans(full, lambda: HOT[name](full))
    first = plan.split("SEARCH article", 1)[0].split("Nested Loop", 1)[0]

    assert f"ix_story{part}_{by}" in plan, plan
    assert "TEMP B-TREE" not in first, plan
    if listing.category and listing.language:
        return  # PostgreSQL may look both parts up and sort what is in both, where that is little
    assert not re.match(r"Limit[^\n]*\n\s*->\s*(Incremental )?Sort", plan), plan


def test_a_frequent_word_is_not_sorted_on_sqlite(full: Database) -> None:
    if full.dialect != "sqlite":
        pytest.skip("PostgreSQL has no index of words by time; it looks through the newest first")
    plan = plans(full, lambda: HOT["a search for what is everywhere"](full))
    assert "TEMP B-TREE" not in plan.split("article_text")[0], plan


def test_what_is_rare_among_the_newest_is_found_in_all_of_history(full: Database) -> None:
    wanted = [n for n in range(2, ARTICLES - WAITING) if str(n).startswith("1970")]
    found = find_stories(full, terms_of("1970"), limit=200)
    assert [hit.article_id for hit in found.hits] == wanted[::-1]
    assert found.older is None


@pytest.mark.parametrize("ask", [claim_due, count_due], ids=lambda ask: ask.__name__)
def test_due_sources_are_found_without_looking_at_the_others(
    full: Database, ask: Callable[..., object]
) -> None:
    arguments = (NOW + MINUTE, NOW + MINUTE, 10) if ask is claim_due else (NOW + MINUTE,)
    plan = plans(full, lambda: ask(full, *arguments))

    assert "ix_source_due" in plan, plan
    assert full_scans(plan) == [], plan


def test_the_queue_is_read_off_its_index(full: Database) -> None:
    for name in ("claim_new", "waiting_to_fold"):
        assert "ix_article_queue" in plans(full, lambda name=name: HOT[name](full))  # type: ignore[misc]


def test_the_window_is_read_in_order(full: Database) -> None:
    plan = plans(full, lambda: next(folded_since(full, NOW + 5 * HOUR)))

    assert "TEMP B-TREE" not in plan, plan


WRITES: dict[str, Callable[[Database], object]] = {
    "claim_due": lambda db: claim_due(db, NOW + MINUTE, NOW + MINUTE, 50),
    "a poll that found nothing": lambda db: commit_poll(db, poll_commit(77)),
    "a poll that found ten": lambda db: commit_poll(
        db, poll_commit(77, *(entry_write(f"fresh {n}") for n in range(10)))
    ),
    "Retry-After": lambda db: hold_host(db, "times.example", NOW + MINUTE),
}
MOST_PAGES = 4_000
"""What a query may touch, however much there is: 32 MB, a hundredth of a second in memory."""


@pytest.mark.parametrize("name", [*HOT, *WRITES])
def test_what_a_query_touches_does_not_grow(full: Database, name: str) -> None:
    if full.dialect == "sqlite":
        pytest.skip("SQLite does not tell")
    touched = pages_touched(full, lambda: (HOT | WRITES)[name](full))
    assert touched < MOST_PAGES


def test_sources_of_a_host_are_found_by_it(full: Database) -> None:
    assert "ix_source_host" in plans(full, lambda: hold_host(full, "times.example", NOW + MINUTE))
