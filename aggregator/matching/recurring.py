"""Round-ups and titles that a source uses again and again: such an article tells no one event.

"Morning briefing" names half a dozen stories and would glue them together, so it stands alone: it
is compared with nothing, and nothing with it. The common ones are known by their words; the rest
once their source has used the title a few times, dates aside.
"""

import re
from typing import Final
from zlib import crc32

from babel.dates import get_day_names, get_month_names

from aggregator.matching.column import Column
from aggregator.matching.document import Document
from aggregator.matching.fingerprint import MAX_TITLE

OFTEN: Final = 3
"""From its this-many-th use in the window a source's title is one that recurs."""
OFTEN_ANYWHERE: Final = 30
"""The same for articles of which nobody knows the source."""
_LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da", "cs", "ru", "uk", "vi")
_DIGITS = re.compile(r"\d+")

# A part of the day or week, or "news", and a word for a summary, in a title of few other words.
_WHEN = (
    r"morning|midday|lunchtime|afternoon|evening|night(?:ly)?|daily|weekend|weekly|week|today'?s?|"
    r"day'?s?|news|top|morgen|mittag|abend|tag(?:es)?|woche|nachrichten|news|matin|midi|soir|jour|"
    r"semaine|actualit\u00e9s?|ma\u00f1ana|tarde|noche|d\u00eda|semana|noticias|mattin[ao]|giorno|"
    r"settimana|notizie|ochtend|avond|nieuws|manh\u00e3|noite|dia|not\u00edcias|dnia|tygodnia"
)
_WHAT = (
    r"briefing|brief|bulletin|round-?up|digest|newsletter|headlines|recap|in brief|at a glance|"
    r"wrap(?:-up)?|in k\u00fcrze|kompakt|im \u00fcberblick|\u00fcberblick|presseschau|en bref|"
    r"l'essentiel|revue de presse|en breve|bolet\u00edn|resumen|in breve|rassegna stampa|"
    r"overzicht|em resumo|resumo|w skr\u00f3cie|przegl\u0105d"
)
_ROUND_UP = re.compile(
    rf"\b(?:{_WHEN})\b[\w' ]{{0,12}}\b(?:{_WHAT})\b|\b(?:{_WHAT})\b[\w' ]{{0,12}}\b(?:{_WHEN})\b"
)
_WORD = re.compile(r"\w+")
_OTHER_WORDS = 5


def _calendar() -> tuple[re.Pattern[str], frozenset[str]]:
    """The names of months and days, and their first words."""
    names = {
        name.casefold().rstrip(".")
        for language in _LANGUAGES
        for names in (
            get_month_names("wide", locale=language),
            get_day_names("wide", locale=language),
        )
        for name in names.values()
    }
    pattern = re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, names), reverse=True))})\b")
    return pattern, frozenset(word for name in names for word in _WORD.findall(name)[:1])


_CALENDAR, _OF_CALENDAR = _calendar()


def is_round_up(title: str) -> bool:
    """Whether a title is that of a round-up of the news: "Morning briefing", "Der Tag kompakt"."""
    title = title[:MAX_TITLE].casefold()
    said = _ROUND_UP.search(title)
    if said is None:
        return False
    rest = _CALENDAR.sub(" ", title[: said.start()] + title[said.end() :])
    return len(re.findall(r"[^\W\d_]{3,}", rest)) < _OTHER_WORDS


class RecurringTitles:
    """How often each source has used each title, dates aside, in the window."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._keys = Column[int]("q")

    def recurs(self, document: Document, key: int) -> bool:
        """Whether a document not yet added, with its ``title_key``, stands alone for its title."""
        if is_round_up(document.title):
            return True
        often = OFTEN if document.publisher else OFTEN_ANYWHERE
        return self._counts.get(key, 0) >= often - 1

    def add(self, key: int) -> None:
        """Count the title of an article that came: of each, in order of their slots."""
        self._keys.add(key)
        if key:
            self._counts[key] = self._counts.get(key, 0) + 1

    def drop(self, slot: int) -> None:
        """Forget the title of an article that leaves the window."""
        key = self._keys[slot]
        if not key:
            return
        self._counts[key] -= 1
        if not self._counts[key]:
            del self._counts[key]

    def drop_before(self, slot: int) -> None:
        """Let go of what was noted of the slots below ``slot``, whose titles are forgotten."""
        self._keys.drop_before(slot)


def title_key(document: Document) -> int:
    """What a source's title is counted by, dates aside; 0 for no title."""
    title = document.title.strip()[:MAX_TITLE].casefold()
    if not title:
        return 0
    # Few titles have a date in them, and the long pattern is slow.
    dated = not _OF_CALENDAR.isdisjoint(_WORD.findall(title))
    undated = _CALENDAR.sub("", title) if dated else title
    if undated != title:  # only a date's digits go: "magnitude 4.5" and "4.7" are two events
        title = _DIGITS.sub("", undated)
    return crc32(f"{document.publisher or ''}\n{title}".encode("utf-8", "replace"))
