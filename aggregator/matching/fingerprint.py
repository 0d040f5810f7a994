"""An article boiled down to what can be compared: a pure function of the document alone.

A fingerprint holds weighted terms as one packed array of well under a kilobyte, a sketch of the
text's word shingles for finding copies, and a few numbers. The text itself is not kept.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from rapidfuzz.utils import default_process

from aggregator.matching.background import BUCKETS, TERMS, Background
from aggregator.matching.copies import sketches
from aggregator.matching.document import Document
from aggregator.matching.tokens import BREAK, CAPITAL, NUMBER, Terms, Tokenizer, language_code

MAX_TITLE = 300
MAX_TEXT = 6_000
"""Characters that are read; what an article says later hardly changes what event it tells."""
LEAD_WORDS = 60
FUZZY_TITLE = 160
"""Characters of a title that are compared word by word."""
SHORTEST: Final = 8
"""Characters below which a title is never compared."""
_SHORT_TEXT, _WORDS_SAID = 160, 10
"""A text of fewer characters is read where it has so many words that its title has not."""

WEIGHT: Final = 0x0F
IN_TITLE, IN_LEAD, IS_NAME, IS_NUMBER = 0x10, 0x20, 0x40, 0x80
WEIGHT_STEP: Final = 1 / 3
_COMMON: Final = 0x100  # while counting: seen without a capital, so no name
_TIMES: Final = 0x200
_TIMES_SHIFT: Final = np.uint32(9)
_ALL_FLAGS, _ALL_TIMES = np.uint32(0x1FF), np.uint32((1 << 25) - 0x200)
_TERM, _HALF, _ARTICLE = np.uint64(25), np.uint64(20), np.uint64(25 + 21)
_AT_ONCE: Final = 32
_LANGUAGES_AT_ONCE: Final = 64
"""Languages whose words are remembered: what feeds call a language has no end."""
_LOG: Final = np.log(np.maximum(np.arange(1 << 15), 1)).astype(np.float32)
_TITLE_TIMES, _LEAD_TIMES = 3, 2
_KEPT_WORDS, _KEPT_PAIRS, _KEPT_SYLLABLES = 150, 32, 120
_SYLLABIC = frozenset({"vi"})
"""Languages that put spaces between syllables: neighbouring pairs of them are the words."""

Packed = npt.NDArray[np.uint32]
"""Sorted entries: term (21 bits: kind and bucket), flags (4 bits), weight in thirds (4 bits)."""


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """What is compared of one article. Lengths are in words; ``published`` in days since 1970.

    ``title`` is cut short, in lower case and without punctuation.
    """

    packed: Packed
    shingles: npt.NDArray[np.uint32]
    title: str
    title_words: int
    words: int
    published: float
    language: str


class Fingerprinter:
    """Makes fingerprints; holds a tokenizer for each language met."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._tokenizers: dict[str, Tokenizer] = {}

    def tokenizer(self, language: str) -> Tokenizer:
        """The tokenizer for a language code."""
        found = self._tokenizers.get(language)
        if found is None:
            if len(self._tokenizers) >= _LANGUAGES_AT_ONCE:
                self._tokenizers.clear()
            found = self._tokenizers[language] = Tokenizer(language)
        return found

    def make(self, document: Document) -> Fingerprint:
        """Boil ``document`` down."""
        return self.make_all([document])[0]

    def make_all(self, documents: Sequence[Document]) -> list[Fingerprint]:
        """Boil documents down, several at once, which is cheaper than one by one."""
        by_language: dict[str, list[int]] = {}
        for at, document in enumerate(documents):
            by_language.setdefault(language_code(document.language), []).append(at)
        made: dict[int, Fingerprint] = {}
        for language, places in by_language.items():
            for first in range(0, len(places), _AT_ONCE):
                some = places[first : first + _AT_ONCE]
                found = self._make_some(language, [documents[at] for at in some])
                made.update(zip(some, found, strict=True))
        return [made[at] for at in range(len(documents))]

    def _make_some(self, language: str, documents: Sequence[Document]) -> list[Fingerprint]:
        titles = ["" if is_too_short(d.title) else d.title[:MAX_TITLE] for d in documents]
        texts = [self._told(language, document) for document in documents]
        both = chain.from_iterable(zip(titles, texts, strict=True))
        terms = self.tokenizer(language).terms(*both)
        part = np.arange(2 * len(documents)).repeat(np.diff(terms.bounds))
        kept = (terms.kinds != BREAK).nonzero()[0]
        words = np.bincount(part[kept], minlength=2 * len(documents)).tolist()
        told = kept[(part[kept] & 1) > 0]
        packed = self._packed(terms, part, kept, in_syllables=language in _SYLLABIC)
        shingles = sketches(terms.words[told], part[told] >> 1, len(documents))
        return [
            Fingerprint(
                packed=packed[at],
                shingles=shingles[at],
                title=default_process(titles[at][:FUZZY_TITLE]),
                title_words=words[2 * at],
                words=words[2 * at + 1],
                published=document.published.timestamp() / 86_400
                if document.published
                else math.nan,
                language=language,
            )
            for at, document in enumerate(documents)
        ]

    def _told(self, language: str, document: Document) -> str:
        """The text to be read: none where it says next to nothing besides its title.

        "Comments", "Read more", "submitted by ... [link]": what a feed says with each of its items
        would make one story of them all. Where the title is none or a date, the text is all there
        is; one that repeats its title does no harm.
        """
        text = document.text[:MAX_TEXT]
        if len(text) >= _SHORT_TEXT:
            return text
        terms = self.tokenizer(language).terms(document.title[:MAX_TITLE], text)
        words = terms.words[terms.kinds != BREAK]
        in_title = np.count_nonzero(terms.kinds[: terms.bounds[1]] != BREAK)
        if np.count_nonzero(terms.kinds[: terms.bounds[1]] == NUMBER) >= in_title - 1:
            return text
        in_text = np.unique(words[in_title:])
        said = len(np.setdiff1d(in_text, words[:in_title]))
        return text if said >= _WORDS_SAID or said * 4 <= len(in_text) else ""

    def _packed(
        self,
        terms: Terms,
        part: npt.NDArray[np.int64],
        kept: npt.NDArray[np.int64],
        *,
        in_syllables: bool,
    ) -> list[Packed]:
        in_text = part & 1
        late = np.arange(len(part)) - terms.bounds[part] >= LEAD_WORDS
        flags = _FLAGS_OF_KIND[terms.kinds] | _FLAGS_OF_PLACE[in_text + (in_text & late)]
        article = (part >> 1).astype(np.uint64) << _ARTICLE

        joined = terms.kinds != BREAK if in_syllables else terms.kinds == CAPITAL
        paired = (joined[:-1] & joined[1:] & (article[:-1] == article[1:])).nonzero()[0]
        names = terms.names[paired], terms.names[paired + 1]
        pairs = ((names[0] * np.uint32(0x9E3779B1)) ^ names[1]) & np.uint32(BUCKETS - 1)
        keys = np.empty(len(kept) + len(paired), dtype=np.uint64)
        keys[: len(kept)] = terms.words[kept] & np.uint32(BUCKETS - 1)
        keys[len(kept) :] = pairs | np.uint32(BUCKETS)
        keys <<= _TERM
        keys[: len(kept)] |= flags[kept] | article[kept]
        keys[len(kept) :] |= flags[paired] | (flags[paired + 1] & _COMMON) | article[paired]
        count = (len(terms.bounds) - 1) // 2
        return self._counted(keys, count, _KEPT_SYLLABLES if in_syllables else _KEPT_PAIRS)

    def _counted(
        self, keys: npt.NDArray[np.uint64], articles: int, kept_pairs: int
    ) -> list[Packed]:
        """The weightiest distinct terms with their flags and weights, packed, for each article.

        ``keys`` hold an article, a term, how often it counts, and its flags.
        """
        if not len(keys):
            return [keys.astype(np.uint32)] * articles
        keys.sort()
        found = keys >> _TERM
        starts = np.concatenate(([True], found[1:] != found[:-1])).nonzero()[0]
        found = found[starts]
        terms = found.astype(np.uint32) & np.uint32(TERMS - 1)
        lower = keys.astype(np.uint32)
        flags = np.bitwise_or.reduceat(lower & _ALL_FLAGS, starts)
        times = (lower & _ALL_TIMES) >> _TIMES_SHIFT
        weights = 1 + _LOG[np.add.reduceat(times, starts).clip(0, len(_LOG) - 1)]
        flags &= ~((flags & _COMMON) // (_COMMON // IS_NAME))
        importance = weights * self._background.rarity[terms]
        importance += ((flags & IN_TITLE) > 0) * np.float32(100)
        importance += ((flags & IN_LEAD) > 0) * np.float32(100)
        # An article's words and its pairs are two groups.
        groups = (found >> _HALF).astype(np.int64)
        chosen = _largest(importance, groups, np.array([_KEPT_WORDS, kept_pairs] * articles))
        thirds = np.minimum(np.rint(weights / WEIGHT_STEP), WEIGHT).astype(np.uint32)
        packed = (terms << np.uint32(8)) | (flags & np.uint32(0xF0)) | thirds
        packed, groups = packed[chosen], groups[chosen]
        bounds = groups.searchsorted(np.arange(articles + 1) * 2).tolist()
        return [packed[a:b].copy() for a, b in pairwise(bounds)]


_FLAGS_OF_KIND = np.zeros(4, dtype=np.uint32)
_FLAGS_OF_KIND[CAPITAL] = IS_NAME
_FLAGS_OF_KIND[NUMBER] = IS_NUMBER | _COMMON
_FLAGS_OF_KIND[0] = _COMMON
_FLAGS_OF_PLACE = np.array(
    [IN_TITLE | IN_LEAD | _TITLE_TIMES * _TIMES, IN_LEAD | _LEAD_TIMES * _TIMES, _TIMES],
    dtype=np.uint32,
)  # in the title, the lead and after it


def _largest(
    values: npt.NDArray[np.float32], groups: npt.NDArray[np.int64], limits: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Where each group's largest values are, rising; equal values go by position."""
    counts = np.bincount(groups, minlength=len(limits))
    if (counts <= limits).all():
        return np.arange(len(values))
    # Positive numbers are in the order of their bits.
    falling = np.uint64(0xFFFFFFFF) - values.view(np.uint32)
    order = ((groups.astype(np.uint64) << np.uint64(32)) | falling).argsort(kind="stable")
    rank = np.arange(len(order)) - (counts.cumsum() - counts).repeat(counts)
    largest: npt.NDArray[np.int64] = np.sort(order[rank < limits.repeat(counts)])
    return largest


def is_too_short(title: str) -> bool:
    """Whether a title is too short to say anything."""
    return len(title.strip()) < SHORTEST and title.isascii()


def common_names(one: Fingerprint, other: Fingerprint) -> frozenset[int]:
    """The buckets of the words that both articles write as names."""
    mine, its = (packed[(packed & IS_NAME) > 0] >> 8 for packed in (one.packed, other.packed))
    return frozenset(mine.tolist()).intersection(its.tolist())
