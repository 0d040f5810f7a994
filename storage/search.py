"""Search: which stories hold an article with these words, newest article first."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    Connection,
    Integer,
    Select,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
)

from storage.chunks import chunks
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
_LOOKED_AT = 1_000
"""Articles looked at, at the least, where only some sections are wanted."""
_LOOKED_UP = 50
"""Articles of which the stories are looked up at once."""
_NEWEST, _WIDER = 4_096, 8
"""Articles in the first window looked through on PostgreSQL; how much wider each next one is."""
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
    part = {kind: name for kind, name in ((CATEGORY, category), (LANGUAGE, language)) if name}
    most = max(limit * _ARTICLES_A_STORY, _LOOKED_AT if part else 0)
    with db.read() as connection:
        matching = _newest_matching(connection, asked, before, most)
        firsts: dict[int, int] = {}
        older = matching[-1] if len(matching) == most else None
        last = None
        for story_id, article_id in _told_by(connection, matching, part):
            if story_id not in firsts and len(firsts) == limit:
                older = last
                break
            firsts.setdefault(story_id, article_id)
            last = article_id
        texts = _texts_of(connection, firsts.values())
    return Hits(_shown(firsts, texts, _pattern(asked)), older)


def _newest_matching(
    connection: Connection, asked: Sequence[Term], before: int | None, most: int
) -> list[int]:
    """The ids of up to ``most`` articles with such words, newest first."""
    if connection.dialect.name == "sqlite":
        matching = literal_column("article_search").op("MATCH")(_fts5(asked))
        found = select(_index.c.rowid).where(matching)
        if before is not None:
            found = found.where(_index.c.rowid < before)
        return list(connection.scalars(found.order_by(_index.c.rowid.desc()).limit(most)))
    return _newest_in_windows(connection, asked, before, most)


def _newest_in_windows(
    connection: Connection, asked: Sequence[Term], before: int | None, most: int
) -> list[int]:
    """The same on PostgreSQL, whose index of words knows no order.

    Asked for everything at once, it would fetch every article that has a frequent word, or go
    through all articles from the newest on for a rare one. What is everywhere is found among the
    newest; what is not there is rare enough to be looked for in more at once.
    """
    key = _index.c.article_id
    newest, eldest = connection.execute(select(func.max(key), func.min(key))).one()
    found: list[int] = []
    end, size = min(before or newest + 1, newest + 1) if newest else 0, _NEWEST
    while newest and end > eldest and len(found) < most:
        window = _window(asked, end - size, end)
        found += connection.scalars(window.limit(most - len(found)))
        end, size = end - size, size * _WIDER
    return found


def _window(asked: Sequence[Term], begin: int, end: int) -> Select[tuple[int]]:
    key = _index.c.article_id
    # Written out, so that each window is planned for itself.
    bounds = (literal(bound, Integer, literal_execute=True) for bound in (begin, end))
    words = _index.c.words.op("@@")(func.to_tsquery(text("'simple'"), _tsquery(asked)))
    among = select(key).where(words, key >= next(bounds), key < next(bounds)).cte("matching")
    # Materialized: a limit must not talk the planner into going through the keys one by one.
    among = among.prefix_with("MATERIALIZED")
    return select(among.c.article_id).order_by(among.c.article_id.desc())


def _told_by(
    connection: Connection, article_ids: Sequence[int], part: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    """The living stories of these articles, and which article it was, newest first.

    No more are looked up than whoever asks takes.
    """
    told = select(articles.c.story_id, articles.c.id).order_by(articles.c.id.desc())
    told = told.join(stories, stories.c.id == articles.c.story_id)
    told = told.where(stories.c.retired_at.is_(None))
    for kind, name in part.items():
        within = select(story_sections.c.story_id).where(
            story_sections.c.story_id == stories.c.id,
            story_sections.c.kind == kind,
            story_sections.c.name == name,
        )
        told = told.where(within.exists())
    for some in chunks(article_ids, _LOOKED_UP):
        for row in connection.execute(told.where(articles.c.id.in_(some))):
            yield row.story_id, row.id


def _texts_of(connection: Connection, article_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Titles and as much of the texts as may be shown."""
    rows = connection.execute(
        select(articles.c.id, func.substr(articles.c.title, 1, 500).label("title"))
        .add_columns(func.substr(article_texts.c.text, 1, 50_000).label("text"))
        .add_columns(article_texts.c.summary)
        .join(article_texts, article_texts.c.article_id == articles.c.id)
        .where(articles.c.id.in_(article_ids))
    )
    return {row.id: (row.title, row.text or row.summary) for row in rows}


def _shown(
    firsts: Mapping[int, int], texts: Mapping[int, tuple[str, str]], pattern: re.Pattern[str]
) -> tuple[Hit, ...]:
    return tuple(
        Hit(
            story_id,
            article_id,
            _marked(texts[article_id][0], pattern),
            _snippet(texts[article_id][1], pattern),
        )
        for story_id, article_id in firsts.items()
    )


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
            # Possessive: marks are no letters, and 50,000 of them would be tried in every way.
            words = [r"\u0300*+".join(map(re.escape, word)) + r"\u0300*+" for word in term.words]
            end = r"\w*" if term.open_ended else r"(?![^\W_])"
            found.append(r"[\W_]*+".join(words) + end)
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
