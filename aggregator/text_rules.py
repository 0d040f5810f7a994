r"""Filters by words: keywords and regular expressions over titles and texts.

The engine is ``regex`` (which dateparser brings). A linear-time engine such as RE2 would need no
time limit, but knows words and digits in ASCII only, so that ``\bÉlysée\b`` would match nothing;
here words are Unicode's. What keeps a pattern from holding a publication up:

- a pattern that goes astray on any of some texts made to lead it astray is refused at once, when
  the configuration is read (:func:`compile_pattern`);
- a text is looked at only so far (``MAX_TEXT``);
- a search ends at ``TIME_LIMIT``, and then counts as nothing found;
- an item is judged once for each change of it, not for each rendering.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import regex

MAX_PATTERN = 1_000
MAX_TEXT = 20_000
"""Characters of a text that are searched: some twenty minutes of reading."""
TIME_LIMIT = 0.1
"""Seconds for one pattern in one text; an honest one takes a ten-thousandth."""

_PROBE = 3_000
_PROBE_TIME = 1.0  # generous: a slow machine must not refuse what a fast one takes
# Scripts that write no spaces between words: a keyword may stand anywhere in them.
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")

Place = Literal["anywhere", "title", "text", "url"]
"""Where to look; ``anywhere`` is title and text."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled keyword or regular expression, and where to look for it."""

    pattern: regex.Pattern[str]
    place: Place = "anywhere"


def compile_keyword(keyword: str) -> regex.Pattern[str]:
    """A pattern that finds ``keyword`` as a word or phrase, in any case; ``quake*`` finds quakes.

    Raises:
        ValueError: nothing is left to look for.
    """
    words = keyword.split()
    ending = bool(words) and words[-1].endswith("*")
    if ending:
        words[-1] = words[-1].rstrip("*")
    if not any(words) or len(keyword) > MAX_PATTERN:
        raise ValueError(f"is no keyword; write a word or phrase of up to {MAX_PATTERN} characters")
    body = r"\s+".join(regex.escape(word, literal_spaces=True) for word in words if word)
    text = "".join(words)
    before = "" if _UNSPACED.match(text[0]) else r"(?<!\w)"
    after = "" if ending or _UNSPACED.match(text[-1]) else r"(?!\w)"
    return regex.compile(before + body + after, regex.IGNORECASE)


@lru_cache(maxsize=256)  # the probes are worth their time once
def compile_pattern(text: str) -> regex.Pattern[str]:
    """The regular expression ``text``, in any case unless it says ``(?-i:...)``.

    Raises:
        ValueError: it is none, or takes too long on texts made to lead it astray.
    """
    if len(text) > MAX_PATTERN:
        raise ValueError(f"is longer than {MAX_PATTERN} characters")
    try:
        pattern = regex.compile(text, regex.IGNORECASE)
    except regex.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    if any(_found(pattern, probe, _PROBE_TIME) is None for probe in _probes(text)):
        raise ValueError(
            "takes too long on some texts; avoid a repetition within a repetition, as in (a+)+, "
            "or write it possessive: (?:a++)+"
        )
    return pattern


def _probes(text: str) -> Iterator[str]:
    signs = dict.fromkeys("a 0-" + "".join(c for c in text if c not in "\\()[]{}|^$?*+."))
    for sign in list(signs)[:40]:
        yield sign * _PROBE + "\0"
    for pair in ("a ", "0 ", "a-", "a.", "aA0_"):
        yield pair * (_PROBE // len(pair)) + "\0"


def matches(rule: Rule, title: str, text: str, url: str = "") -> bool | None:
    """Whether ``rule`` finds something; None where it took too long to tell."""
    searched = {
        "title": (title,),
        "text": (text,),
        "url": (url,),
        "anywhere": (title, text),
    }[rule.place]
    verdicts = [_found(rule.pattern, each, TIME_LIMIT) for each in searched]
    return True if True in verdicts else None if None in verdicts else False


def _found(pattern: regex.Pattern[str], text: str, limit: float) -> bool | None:
    try:
        return pattern.search(text[:MAX_TEXT], timeout=limit) is not None
    except TimeoutError:
        return None
