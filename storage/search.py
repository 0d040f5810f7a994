"""Search: which stories hold an article with these words, newest article first."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import column, func, literal_column, select, table, text

from storage.database import Database
from storage.search_index import fold_characters, words_of
from storage.sections import CATEGORY, LANGUAGE
from storage.tables.article import article_texts, articles
from storage.tables.story import stories, story_sections

PREFIX = 4
"""Letters from which a word also finds longer ones: "elect" finds "election"."""
_MOST_TERMS, _MOST_WORDS = 12, 24
_AROUND = 110
_ARTICLES_A_STORY = 10
"""Articles looked at for each story wanted; where that is too few the page is shorter."""
_TERM = re.compile(r'(-?)"([^"]*)"|(-?)(\S+)')
_SQUEEZED = re.compile(r"\s+")
_index = table("article_search", column("rowid"), column("article_id"), column("words"))


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or several in a row. ``open_ended`` also finds words that begin so."""

    words: tuple[str, ...]
    wanted: bool = True
    open_ended: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a snippet; ``found`` is what was asked for."""

    text: str
    found: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A story that was found: by which article, and where in it."""

    story_id: int
    article_id: int
    title: tuple[Piece, ...]
    snippet: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Hits:
    """Stories found, and the article id before which older ones are (None: that was all)."""

    hits: tuple[Hit, ...]
    older: int | None


def terms_of(query: str) -> tuple[Term, ...]:
    """What a query asks for: words, "words in a row", and -what must not be there."""
    terms: list[Term] = []
    for minus, quoted, negative, plain in _TERM.findall(query[:1000]):
        words = tuple(words_of(quoted or plain)[:_MOST_WORDS])
        if words:
            open_ended = bool(plain) and len(words[-1]) >= PREFIX
            terms.append(Term(words, not (minus or negative), open_ended))
    return tuple(terms[:_MOST_TERMS])


def find_stories(
    db: Database,
    terms: Iterable[Term],
    *,
    limit: int,
    before: int | None = None,
    category: str | None = None,
    language: str | None = None,
) -> Hits:
    """Up to ``limit`` stories with an article that holds every wanted term and no other.

    By the article that arrived last, newest first; ``before`` (an article's id) goes on from there.
    """
    asked = tuple(terms)
    if not any(term.wanted for term in asked):
        return Hits((), None)
    sqlite = db.dialect == "sqlite"
    key = _index.c.rowid if sqlite else _index.c.article_id
    found = select(key.label("id"), articles.c.story_id).select_from(_index)
    found = found.join(articles, articles.c.id == key)
    found = found.join(stories, stories.c.id == articles.c.story_id)
    if sqlite:
        matching = literal_column("article_search").op("MATCH")(_fts5(asked))
    else:
        matching = _index.c.words.op("@@")(func.to_tsquery(text("'simple'"), _tsquery(asked)))
    found = found.where(matching, stories.c.retired_at.is_(None))
    for kind, name in ((CATEGORY, category), (LANGUAGE, language)):
        if name is not None:
            part = select(story_sections.c.story_id).where(
                story_sections.c.story_id == stories.c.id,
                story_sections.c.kind == kind,
                story_sections.c.name == name,
            )
            found = found.where(part.exists())
    if before is not None:
        found = found.where(key < before)
    found = found.order_by(key.desc()).limit(limit * _ARTICLES_A_STORY)
    firsts: dict[int, int] = {}
    last = None
    with db.read() as connection:
        rows = connection.execute(found).all()
        more = len(rows) == limit * _ARTICLES_A_STORY
        for row in rows:
            if row.story_id not in firsts and len(firsts) == limit:
                more = True
                break
            firsts.setdefault(row.story_id, row.id)
            last = row.id
        shown = connection.execute(
            select(articles.c.id, func.substr(articles.c.title, 1, 500).label("title"))
            .add_columns(func.substr(article_texts.c.text, 1, 50_000).label("text"))
            .add_columns(article_texts.c.summary)
            .join(article_texts, article_texts.c.article_id == articles.c.id)
            .where(articles.c.id.in_(firsts.values()))
        ).all()
    texts = {row.id: (row.title, row.text or row.summary) for row in shown}
    pattern = _pattern(asked)
    hits = tuple(
        Hit(
            story_id,
            article_id,
            _marked(texts[article_id][0], pattern),
            _snippet(texts[article_id][1], pattern),
        )
        for story_id, article_id in firsts.items()
    )
    return Hits(hits, last if more else None)


def _fts5(terms: Iterable[Term]) -> str:
    """The query in FTS5's language. Words are letters and digits only, so quoting is safe."""
    wanted: list[str] = []
    unwanted: list[str] = []
    for term in terms:
        phrase = f'"{" ".join(term.words)}"' + (" *" if term.open_ended else "")
        (wanted if term.wanted else unwanted).append(phrase)
    asked = f"({' AND '.join(wanted)})"
    return f"{asked} NOT ({' OR '.join(unwanted)})" if unwanted else asked


def _tsquery(terms: Iterable[Term]) -> str:
    """The query in the language of PostgreSQL's ``to_tsquery``."""
    parts = []
    for term in terms:
        quoted = [f"'{word}'" for word in term.words]
        if term.open_ended:
            quoted[-1] += ":*"
        parts.append(("" if term.wanted else "!") + f"({' <-> '.join(quoted)})")
    return " & ".join(parts)


def _pattern(terms: Iterable[Term]) -> re.Pattern[str]:
    """Finds the wanted terms in a text with folded characters."""
    found = []
    for term in terms:
        if term.wanted:
            words = [r"\u0300*".join(map(re.escape, word)) + r"\u0300*" for word in term.words]
            end = r"\w*" if term.open_ended else r"(?![^\W_])"
            found.append(r"[\W_]*".join(words) + end)
    # A character of a script without spaces stands for itself, wherever it is.
    return re.compile(rf"(?:(?<![^\W_])|(?<=[^\x00-\u0dff]))(?:{'|'.join(found)})")


def _marked(shown: str, pattern: re.Pattern[str]) -> tuple[Piece, ...]:
    shown = unicodedata.normalize("NFC", shown)
    pieces: list[Piece] = []
    end = 0
    for match in pattern.finditer(fold_characters(shown)):
        pieces += [
            Piece(shown[end : match.start()]),
            Piece(shown[match.start() : match.end()], True),
        ]
        end = match.end()
    pieces.append(Piece(shown[end:]))
    return tuple(piece for piece in pieces if piece.text)


def _snippet(shown: str, pattern: re.Pattern[str]) -> tuple[Piece, ...]:
    shown = _SQUEEZED.sub(" ", unicodedata.normalize("NFC", shown))
    match = pattern.search(fold_characters(shown))
    middle = match.start() if match else 0
    begin, end = max(0, middle - _AROUND), min(len(shown), middle + 2 * _AROUND)
    if begin:  # whole words, where there are any
        begin = max(begin, shown.find(" ", begin, middle) + 1)
    if end < len(shown):
        end = max(shown.rfind(" ", middle + 1, end), middle + _AROUND)
    before, after = "… " if begin else "", " …" if end < len(shown) else ""
    return _marked(before + shown[begin:end] + after, pattern)
