"""The index of words in articles: how it is laid out, what stands in it, and keeping it up.

SQLite has FTS5, PostgreSQL full text. Both get the same words, prepared here, so that both find the
same: lower case, without accents, and scripts that put no spaces between words a character each.
It is laid out beside the tables, which know neither.
"""

import re
import unicodedata

from sqlalchemy import Connection, text

_MARK = "\u0300"
_NO_SPACES = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff])"
)
_APART = re.compile(r"[\W_]+")
_LONGEST, _MOST_WORDS, _MOST_CHARACTERS = 64, 20_000, 200_000

_LAY_OUT = {
    "sqlite": (
        """CREATE VIRTUAL TABLE IF NOT EXISTS article_search
        USING fts5(words, tokenize = 'unicode61 remove_diacritics 0')""",
        """CREATE TRIGGER IF NOT EXISTS article_search_forget AFTER DELETE ON article_text
        BEGIN DELETE FROM article_search WHERE rowid = old.article_id; END""",
    ),
    "postgresql": (
        """CREATE TABLE IF NOT EXISTS article_search (article_id bigint PRIMARY KEY
        REFERENCES article_text ON DELETE CASCADE, words tsvector NOT NULL)""",
        """CREATE INDEX IF NOT EXISTS ix_article_search_words ON article_search
        USING gin (words) WITH (fastupdate = off)""",
    ),
}
_WRITE = {
    "sqlite": (
        "DELETE FROM article_search WHERE rowid = :id",
        "INSERT INTO article_search (rowid, words) VALUES (:id, :words)",
    ),
    "postgresql": (
        """INSERT INTO article_search (article_id, words)
        VALUES (:id, to_tsvector('simple', :words))
        ON CONFLICT (article_id) DO UPDATE SET words = excluded.words""",
    ),
}


class _Folding(dict[int, str]):
    """Each character as it is compared; looked up once."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if unicodedata.category(character).startswith("M"):
            folded = _MARK
        else:
            base = [c for c in unicodedata.normalize("NFKD", character) if not _is_mark(c)]
            plain = base[0] if len(base) == 1 else character
            folded = plain.lower() if len(plain.lower()) == 1 else plain
        self[code] = folded
        return folded


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


_FOLDING = _Folding()


def fold_characters(shown: str) -> str:
    """``shown`` as it is compared, character for character, so that places in both agree.

    Combining marks that remain (compose the text first) all become U+0300.
    """
    return shown.translate(_FOLDING)


def words_of(shown: str) -> list[str]:
    """The words of a text as the index holds them."""
    folded = fold_characters(unicodedata.normalize("NFC", shown[:_MOST_CHARACTERS]))
    spaced = _NO_SPACES.sub(r" \1 ", folded.replace(_MARK, ""))
    return [word[:_LONGEST] for word in _APART.split(spaced)[:_MOST_WORDS] if word]


def lay_out_search(connection: Connection) -> None:
    """Make the index where there is none yet. After every migration: what it hangs on is there."""
    for statement in _LAY_OUT[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def index_article(connection: Connection, article_id: int, shown: str) -> None:
    """Let an article be found by the words of ``shown`` and no others."""
    values = {"id": article_id, "words": " ".join(words_of(shown))}
    for statement in _WRITE[connection.dialect.name]:
        connection.execute(text(statement), values)
