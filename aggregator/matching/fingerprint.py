"""An article boiled down to what can be compared: a pure function of the document alone.

A fingerprint holds weighted terms in five fields as one packed array of about a kilobyte, a sketch
of its word shingles for finding copies, and a few numbers. The text itself is not kept.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aggregator.matching.background import Background
from aggregator.matching.copies import sketch
from aggregator.matching.document import Document
from aggregator.matching.tokens import BREAK, CAPITAL, NUMBER, Terms, Tokenizer, language_code

MAX_TITLE = 300
MAX_TEXT = 6_000
"""Characters that are read; what an article says later hardly changes what event it tells."""

BODY, TITLE, NAMES, NUMBERS, LEAD = range(5)
FIELDS: Final = 5
BUCKET_BITS: Final = 20
BUCKETS: Final = 1 << BUCKET_BITS
_KEPT = {BODY: 160, TITLE: 24, NAMES: 48, NUMBERS: 24, LEAD: 40}
_LEAD_WORDS = 60
_WEIGHT_STEP: Final = 16

Packed = npt.NDArray[np.uint32]
"""Sorted entries: field (4 bits), bucket (20 bits), weight in sixteenths (8 bits)."""

_EMPTY = np.zeros(0, dtype=np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """What is compared of one article. Lengths are in words; ``published`` in days since 1970."""

    packed: Packed
    shingles: npt.NDArray[np.uint32]
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
        title = tokenizer.terms(document.title[:MAX_TITLE] if with_title else "")
        text = tokenizer.terms(document.text[:MAX_TEXT])
        title_words, words = _terms(title), _terms(text)
        lead = words[:_LEAD_WORDS]
        idf = self._background.idf
        fields = (
            _field(BODY, np.concatenate((words, lead, title_words, title_words, title_words)), idf),
            _field(TITLE, title_words, idf),
            _field(NAMES, np.concatenate((_names(title), _names(text))), idf),
            _field(NUMBERS, np.concatenate((_numbers(title), _numbers(text))), idf),
            _field(LEAD, np.concatenate((title_words, lead)), idf),
        )
        published = document.published
        return Fingerprint(
            packed=np.concatenate(fields),
            shingles=sketch(words),
            title_words=len(title_words),
            words=len(words),
            published=published.timestamp() / 86_400 if published else float("nan"),
            language=language,
        )


def _terms(terms: Terms) -> Packed:
    return terms.words[terms.kinds != BREAK]


def _numbers(terms: Terms) -> Packed:
    return terms.names[terms.kinds == NUMBER]


def _names(terms: Terms) -> Packed:
    """Capitalised words, and neighbouring pairs of them under a hash of both."""
    capital = terms.kinds == CAPITAL
    pair = capital[:-1] & capital[1:]
    pairs = terms.names[:-1][pair] * np.uint32(0x9E3779B1) ^ terms.names[1:][pair]
    return np.concatenate((terms.names[capital], pairs))


def _field(field: int, hashes: Packed, idf: object) -> Packed:
    """The weightiest distinct terms, packed and sorted by bucket."""
    if not len(hashes):
        return _EMPTY
    buckets, counts = np.unique(hashes & np.uint32(BUCKETS - 1), return_counts=True)
    weights = np.minimum(1 + np.log(counts), 15.9)
    keep = _KEPT[field]
    if len(buckets) > keep:
        importance = weights * idf(field, buckets)
        chosen = np.sort(np.argpartition(-importance, keep)[:keep])
        buckets, weights = buckets[chosen], weights[chosen]
    entries = (np.uint32(field) << np.uint32(BUCKET_BITS)) | buckets
    return (entries << np.uint32(8)) | np.rint(weights * _WEIGHT_STEP).astype(np.uint32)
