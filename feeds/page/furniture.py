"""Lines that stand in an article and are not of it: its own title, dates, pleas, related links.

Judges lines by their words and their place, whoever found them; where they stand in the page is
the business of the readers. Lines are dropped whole, and only where a reader would not miss them.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from feeds.page.phrases import alternatives, phrases

_WORD = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"[.!?\u3002\uff01\uff1f\u2026][\"'\u201d\u2019\u00bb)\]]*$")

# A short line that starts so ends the article: what follows is for the next click.
_END = phrases("end_of_article")

# A line that is furniture wherever it stands, by how it begins.
_PLEA_HEAD = phrases("plea_head")

# The same by what it says anywhere; only lines with one of the clues are searched, for speed.
_PLEA_CLUES = (
    "reserv", "riservati", "vorbehalten", "réservés", "защищены", "newsletter", "inbox",
    "mailing list", "commission", "cookies", "subscribe", "sign up", "register",
)  # fmt: skip
_PLEA = phrases("plea")
_SHARE_LINE = phrases("share_line")

_DATE_LINE = phrases("date_line")
_BYLINE = re.compile(rf"^\W*(?i:{alternatives('byline')})\b\W*(?!the\b|a\b|an\b)\w")
_MARKS = " \t\u2022\u00b7-\u2013\u2014>#*|"
_SHORT = 14
_LABEL, _LABEL_WORDS = 40, 8
_END_HEADING_WORDS = 10
_BODY = 0.7
_LINE = 1_000


def words(text: str) -> tuple[str, ...]:
    """The words of a text, lower-cased: letters and digits in any script.

    Remembered of lines, because every step asks it of the same ones. Of whole articles it would
    hold hundreds of megabytes.
    """
    return _words_of_line(text) if len(text) <= _LINE else _words(text)


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.lower()))


_words_of_line = lru_cache(maxsize=4096)(_words)


def is_plea(line: str) -> bool:
    """Whether a line is an advertisement mark, a share button's name, a plea or a legal notice."""
    if len(line) >= 250:
        return False
    bare = line.lstrip(_MARKS)
    if _PLEA_HEAD.match(bare) or _SHARE_LINE.match(bare):
        return True
    lowered = line.lower()
    return any(clue in lowered for clue in _PLEA_CLUES) and bool(_PLEA.search(line))


def is_byline(line: str) -> bool:
    """Whether a short line only names who wrote it, or when."""
    if len(words(line)) > _SHORT or _SENTENCE_END.search(line):
        return False
    return bool(_BYLINE.match(line) or _DATE_LINE.match(line))


def is_label(line: str) -> bool:
    """Whether a line is so short, and so little of a sentence, that it labels what follows."""
    return len(line) < _LABEL and len(words(line)) < _LABEL_WORDS and not _SENTENCE_END.search(line)


def ends_article(line: str) -> bool:
    """Whether a line is a heading over related links, comments, an author's box or a form."""
    return len(words(line)) <= _END_HEADING_WORDS and bool(_END.match(line.lstrip(_MARKS)))


def same_words(left: str, right: str) -> bool:
    """Whether two lines are equal but for case, punctuation and an outlet's name at one's end."""
    a, b = words(left), words(right)
    if not a or not b:
        return False
    short, long = sorted((a, b), key=len)
    return short == long or (
        len(short) >= 4 and long[: len(short)] == short and len(long) - len(short) <= 4
    )


def body_lines(lines: Sequence[str], names: Sequence[str]) -> list[int]:
    """Which lines are the article's, as positions; ``names`` are what it is called and by whom."""
    sizes = [len(words(line)) for line in lines]
    start = _after_title(lines, sizes, names)
    end = _before_furniture(lines, sizes, start)
    kept = []
    for position in range(start, end):
        line = lines[position]
        if not sizes[position] or is_plea(line) or (position - start < 6 and is_byline(line)):
            continue
        if position - start < 3 and (
            any(same_words(line, name) for name in names)
            or _is_said_again(line, lines[position + 1 :])
        ):
            continue
        kept.append(position)
    return kept


def _is_said_again(line: str, following: Sequence[str]) -> bool:
    """Whether a standfirst is only the beginning of the text, which follows."""
    said = " ".join(words(line))
    return len(said) > 60 and any(said in " ".join(words(other)) for other in following[:4])


def _after_title(lines: Sequence[str], sizes: Sequence[int], names: Sequence[str]) -> int:
    """The first line after the title, where little but furniture can stand before it."""
    passed = 0
    for position, line in enumerate(lines):
        if any(same_words(line, name) for name in names):
            return position + 1
        passed += sizes[position]
        if passed > 50 or sizes[position] > 25:
            break
    return 0


def _before_furniture(lines: Sequence[str], sizes: Sequence[int], start: int) -> int:
    """The first line of the tail: a heading over other things, in the second half."""
    total, passed = sum(sizes[start:]), 0
    for position in range(start, len(lines)):
        if passed >= _BODY * total and ends_article(lines[position]):
            return position
        passed += sizes[position]
    return len(lines)
