"""An article boiled down to what can be compared: a pure function of the document alone.

A fingerprint holds weighted terms as one packed array of well under a kilobyte, a sketch of the
text's word shingles for finding copies, and a few numbers. The text itself is not kept.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from rapidfuzz.utils import default_process

from aggregator.matching.background import BUCKETS, Background
from aggregator.matching.copies import sketch
from aggregator.matching.document import Document
from aggregator.matching.tokens import BREAK, CAPITAL, NUMBER, Terms, Tokenizer, language_code

MAX_TITLE = 300
MAX_TEXT = 6_000
"""Characters that are read; what an article says later hardly changes what event it tells."""
LEAD_WORDS = 60
FUZZY_TITLE = 160
"""Characters of a title that are compared word by word."""

WEIGHT: Final = 0x0F
IN_TITLE, IN_LEAD, IS_NAME, IS_NUMBER = 0x10, 0x20, 0x40, 0x80
WEIGHT_STEP: Final = 1 / 3
_COMMON: Final = 0x100  # while counting: seen without a capital, so no name
_TIMES_SHIFT: Final = np.uint32(9)
_TIMES: Final = 1 << 9
_ALL_FLAGS: Final = np.uint32(_TIMES - 1)
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
            found = self._tokenizers[language] = Tokenizer(language)
        return found

    def make(self, document: Document, *, with_title: bool = True) -> Fingerprint:
        """Boil ``document`` down; ``with_title=False`` leaves a recurring title out."""
        language = language_code(document.language)
        tokenizer = self.tokenizer(language)
        terms = tokenizer.terms_of_both(
            document.title[:MAX_TITLE] if with_title else "", document.text[:MAX_TEXT]
        )
        kept = (terms.kinds != BREAK).nonzero()[0]
        title_words = int(kept.searchsorted(terms.headed))
        published = document.published
        return Fingerprint(
            packed=self._packed(terms, kept, in_syllables=language in _SYLLABIC),
            shingles=sketch(terms.words[kept[title_words:]]),
            title=default_process(document.title[:FUZZY_TITLE]) if with_title else "",
            title_words=title_words,
            words=len(kept) - title_words,
            published=published.timestamp() / 86_400 if published else float("nan"),
            language=language,
        )

    def _packed(
        self, terms: Terms, kept: npt.NDArray[np.int64], *, in_syllables: bool
    ) -> Packed:
        headed, lead_end = terms.headed, terms.headed + LEAD_WORDS
        flags = _FLAGS_OF_KIND[terms.kinds]
        flags[:headed] |= (IN_TITLE | IN_LEAD) | _TITLE_TIMES * _TIMES
        flags[headed:lead_end] |= IN_LEAD | _LEAD_TIMES * _TIMES
        flags[lead_end:] |= _TIMES

        joined = terms.kinds != BREAK if in_syllables else terms.kinds == CAPITAL
        paired = (joined[:-1] & joined[1:]).nonzero()[0]
        names = terms.names[paired], terms.names[paired + 1]
        pairs = ((names[0] * np.uint32(0x9E3779B1)) ^ names[1]) & np.uint32(BUCKETS - 1)
        keys = np.empty(len(kept) + len(paired), dtype=np.uint64)
        keys[: len(kept)] = terms.words[kept] & np.uint32(BUCKETS - 1)
        keys[len(kept) :] = pairs | np.uint32(BUCKETS)
        keys <<= np.uint64(32)
        keys[: len(kept)] |= flags[kept]
        keys[len(kept) :] |= flags[paired] | (flags[paired + 1] & _COMMON)
        return self._counted(keys, _KEPT_SYLLABLES if in_syllables else _KEPT_PAIRS)

    def _counted(self, keys: npt.NDArray[np.uint64], kept_pairs: int) -> Packed:
        """The weightiest distinct terms with their flags and weights, packed and sorted.

        ``keys`` hold a term in the upper half, how often it counts and its flags in the lower.
        """
        if not len(keys):
            return keys.astype(np.uint32)
        keys.sort()
        terms = (keys >> np.uint64(32)).astype(np.uint32)
        starts = np.concatenate(([True], terms[1:] != terms[:-1])).nonzero()[0]
        terms = terms[starts]
        lower = keys.astype(np.uint32)
        flags = np.bitwise_or.reduceat(lower & _ALL_FLAGS, starts)
        weights = 1 + _LOG[np.add.reduceat(lower >> _TIMES_SHIFT, starts).clip(0, len(_LOG) - 1)]
        flags &= ~((flags & _COMMON) // (_COMMON // IS_NAME))
        words = int(terms.searchsorted(BUCKETS))
        if words > _KEPT_WORDS or len(terms) - words > kept_pairs:
            importance = weights * self._background.rarity[terms]
            importance += ((flags & IN_TITLE) > 0) * np.float32(100)
            importance += ((flags & IN_LEAD) > 0) * np.float32(100)
            chosen = np.concatenate(
                (
                    _largest(importance[:words], _KEPT_WORDS),
                    words + _largest(importance[words:], kept_pairs),
                )
            )
            terms, flags, weights = terms[chosen], flags[chosen], weights[chosen]
        thirds = np.minimum(np.rint(weights / WEIGHT_STEP), WEIGHT).astype(np.uint32)
        return (terms << np.uint32(8)) | (flags & np.uint32(0xF0)) | thirds


_FLAGS_OF_KIND = np.zeros(4, dtype=np.uint32)
_FLAGS_OF_KIND[CAPITAL] = IS_NAME
_FLAGS_OF_KIND[NUMBER] = IS_NUMBER | _COMMON
_FLAGS_OF_KIND[0] = _COMMON


def _largest(values: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.int64]:
    """The positions of the largest values, rising; equal values go by position."""
    if len(values) <= count:
        return np.arange(len(values))
    return np.sort(np.argsort(-values, kind="stable")[:count])


def common_names(one: Fingerprint, other: Fingerprint) -> frozenset[int]:
    """The buckets of the words that both articles write as names."""
    mine = {entry >> 8 for entry in one.packed[(one.packed & IS_NAME) > 0].tolist()}
    its = {entry >> 8 for entry in other.packed[(other.packed & IS_NAME) > 0].tolist()}
    return frozenset(mine & its)
