"""Search on both engines: what is found, in which order, and what is shown of it."""

import time

import pytest
from builders import (
    NOW,
    add_articles,
    add_source,
    article_reading,
    fold,
    read_articles,
    story_write,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from storage.articles import claim_new, commit_reading
from storage.database import Database
from storage.search import Hits, Piece, Term, find_stories, terms_of
from storage.search_index import fold_characters, words_of

TEXTS = {  # as a feed shows them, the newest first
    "mill": ("Fire destroys mill", "A fire in Northgate has destroyed the mill. Nobody was hurt."),
    "vote": ("Elections in Caldria", "Voters in Caldria elect a council. Turnout was high."),
    "cafe": ("Café opens", "A café crème costs 3 crowns, says José Núñez."),
    "tokyo": ("東京で地震", "東京都で地震がありました。けが人はいません。"),
    "arabic": ("انتخابات في المدينة", "تُجرى الاِنْتِخابات اليوم في المدينة."),
    "hindi": ("दिल्ली में बारिश", "दिल्ली में आज भारी बारिश हुई।"),
    "fire": ("Second fire", "Firefighters were called to the harbour; the fire was small."),
}


@pytest.fixture
def filled(database: Database) -> Database:
    source = add_source(database, category="world")
    ids = add_articles(database, source.id, *TEXTS)
    for article in claim_new(database, NOW, NOW, limit=100):
        name = list(TEXTS)[ids.index(article.id)]
        title, shown = TEXTS[name]
        commit_reading(
            database, article_reading(article.id, version=article.version, title=title, text=shown)
        )
    fold(database, *(story_write(key, article) for key, article in enumerate(ids)))
    return database


def found(database: Database, query: str, **more: object) -> list[str]:
    hits = find_stories(database, terms_of(query), **({"limit": 10} | more))  # type: ignore[arg-type]  # a test names its arguments
    return [name_of(hit.title) for hit in hits.hits]


def name_of(title: tuple[Piece, ...]) -> str:
    whole = "".join(piece.text for piece in title)
    return next(name for name, (known, _) in TEXTS.items() if known == whole)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("fire", ["mill", "fire"]),
        ("FIRE", ["mill", "fire"]),
        ("northgate mill", ["mill"]),
        ("mill harbour", []),
        ("elect", ["vote"]),
        ("elections", ["vote"]),
        ('"elect"', ["vote"]),
        ('"election"', []),
        ("fir", []),
        ("firefight", ["fire"]),
        ("fire -harbour", ["mill"]),
        ('fire -"has destroyed"', ["fire"]),
        ('"destroyed the mill"', ["mill"]),
        ('"mill the destroyed"', []),
        ("cafe", ["cafe"]),
        ("CAFÉ", ["cafe"]),
        ("nunez", ["cafe"]),
        ("cafe\u0301", ["cafe"]),
        ("地震", ["tokyo"]),
        ("震地", []),
        ("انتخابات", ["arabic"]),
        ("बारिश", ["hindi"]),
        ("-fire", []),
        ("", []),
        ('"', []),
        ("...", []),
        ("no_such", []),
    ],
)
def test_what_a_query_finds(filled: Database, query: str, names: list[str]) -> None:
    assert found(filled, query) == names


def test_within_a_part(filled: Database) -> None:
    assert found(filled, "fire", category="world", language="en") == ["mill", "fire"]
    assert found(filled, "fire", category="sport") == []
    assert found(filled, "fire", language="de") == []


def test_a_search_goes_on_where_it_ended(filled: Database) -> None:
    first = find_stories(filled, terms_of("fire"), limit=1)
    assert [name_of(hit.title) for hit in first.hits] == ["mill"]
    second = find_stories(filled, terms_of("fire"), limit=1, before=first.older)
    assert [name_of(hit.title) for hit in second.hits] == ["fire"]
    assert second.older is None


def test_a_story_is_found_once_by_its_latest_article(database: Database) -> None:
    source = add_source(database)
    ids = add_articles(database, source.id, "a", "b", "c")
    read_articles(database, *ids, text="A fire.")
    fold(database, story_write(1, ids[0], ids[1]), story_write(2, ids[2]))
    hits = find_stories(database, terms_of("fire"), limit=10).hits
    assert [hit.article_id for hit in hits] == [ids[2], ids[1]]


def test_what_is_not_in_a_story_yet_is_not_found(database: Database) -> None:
    source = add_source(database)
    ids = add_articles(database, source.id, "a")
    read_articles(database, *ids, text="A fire.")
    assert find_stories(database, terms_of("fire"), limit=10) == Hits((), None)


def test_a_text_that_changes_is_found_by_its_new_words_only(filled: Database) -> None:
    with filled.write() as connection:
        article_id = connection.execute(
            text("SELECT id FROM article WHERE title = 'Second fire'")
        ).scalar_one()
        connection.execute(
            text("UPDATE article SET state = 'new' WHERE id = :id"), {"id": article_id}
        )
    changed = article_reading(article_id, title="Second fire", text="It was a false alarm.")
    assert commit_reading(filled, changed)
    assert found(filled, "harbour") == []
    assert found(filled, "alarm") == ["fire"]


def test_what_is_forgotten_is_not_found(filled: Database) -> None:
    with filled.write() as connection:
        connection.execute(text("DELETE FROM article_text"))
    with filled.read() as connection:
        left = connection.execute(text("SELECT count(*) FROM article_search")).scalar()
    assert left == 0


def test_what_was_asked_for_is_marked_in_the_words_as_they_were_written(filled: Database) -> None:
    (hit,) = find_stories(filled, terms_of("cafe"), limit=10).hits
    assert hit.title == (Piece("Café", found=True), Piece(" opens"))
    assert [piece.text for piece in hit.snippet if piece.found] == ["café"]
    (hit,) = find_stories(filled, terms_of("地震"), limit=10).hits
    assert hit.title == (Piece("東京で"), Piece("地震", found=True))
    (hit,) = find_stories(filled, terms_of("firefight"), limit=10).hits
    assert [piece.text for piece in hit.snippet if piece.found] == ["Firefighters"]


def test_a_snippet_is_cut_around_what_was_found(database: Database) -> None:
    source = add_source(database)
    (article,) = add_articles(database, source.id, "a")
    read_articles(database, article, title="", text="before " * 200 + "needle" + " after" * 200)
    fold(database, story_write(1, article))
    (hit,) = find_stories(database, terms_of("needle"), limit=1).hits
    shown = "".join(piece.text for piece in hit.snippet)
    assert shown.startswith("… before ")
    assert shown.endswith(" after …")
    assert 200 < len(shown) < 350
    assert Piece("needle", found=True) in hit.snippet


def test_marks_without_end_hold_nobody_up(database: Database) -> None:
    """They were tried in every way, which took eleven seconds."""
    (article,) = add_articles(database, add_source(database).id, "a")
    text_of_marks = "a" + "\u0300" * 50_000 + " c. Then a b."
    read_articles(database, article, title="Marks", text=text_of_marks)
    fold(database, story_write(1, article))
    begun = time.process_time()
    (hit,) = find_stories(database, terms_of('"a b"'), limit=1).hits
    assert time.process_time() - begun < 2
    assert hit.article_id == article


def test_terms() -> None:
    assert terms_of('fire -"very old" "mill"x') == (
        Term(("fire",), open_ended=True),
        Term(("very", "old"), wanted=False),
        Term(("mill",)),
        Term(("x",)),
    )
    assert len(terms_of("word " * 100)) == 12


@given(st.text(max_size=60))
def test_folding_keeps_every_character_in_its_place(shown: str) -> None:
    assert len(fold_characters(shown)) == len(shown)
    for word in words_of(shown):
        assert word == word.strip()
        assert len(word) <= 64


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30))
def test_whatever_is_asked_is_answered(filled: Database, query: str) -> None:
    assert isinstance(find_stories(filled, terms_of(query), limit=3), Hits)
