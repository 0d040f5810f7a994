"""Text to terms: hashed words, names and numbers, by language; no weights, no statistics.

Words are runs of letters, marks and digits (Unicode), case-folded and stemmed where Snowball has a
stemmer for the language. Scripts written without spaces become character bigrams. Names are
capitalised words and neighbouring pairs of them, unstemmed and the same in every language.

A term travels as the CRC-32 of its UTF-8, so there is no vocabulary to grow or to store.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt
import Stemmer  # type: ignore[import-not-found]  # a C extension without stubs

Hashes = npt.NDArray[np.uint32]

# Marks that str.isalnum denies but that belong inside words: combining accents, Hebrew and Arabic
# points, the Indic blocks, Thai and Lao vowels, Myanmar, Khmer, joiners.
_MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0971-\u0dff"
    "\u0e30-\u0e4e\u0eb0-\u0ece\u1000-\u109f\u1780-\u17d3\u200c\u200d"
)
_TOKEN = re.compile(
    rf"\d+(?:[.,:]\d+)*|[^\W_](?:[^\W_]|[{_MARKS}])*(?:['\u2019](?:[^\W_]|[{_MARKS}])+)?|[^\w\s]"
)
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)
_POSSESSIVE = re.compile(r"['\u2019]s?$", re.IGNORECASE)
_JOINERS = frozenset("-\u2010\u2011.'\u2019&")
_STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german",
    "el": "greek", "en": "english", "es": "spanish", "et": "estonian", "eu": "basque",
    "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian",
    "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian",
    "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
_PUNCTUATION = ".,;:!?()[]\"'\u201c\u201d\u2018\u2019\u00ab\u00bb"
_ENDING, _AROUND = ",:;?!", '"()\u201c\u201d'
_MAX_TOKEN = 40
_MAX_CHUNKS = 1 << 17
_MAX_PARTS = 1 << 19

PLAIN, CAPITAL, NUMBER, BREAK = range(4)


@dataclass(frozen=True, slots=True)
class Terms:
    """The parts of a text in order: what kind each is, and its hashes as a word and as a name.

    A ``BREAK`` (punctuation) is no term; it only ends a run of capitalised words. ``bounds`` says
    where each of several texts begins and the last ends.
    """

    kinds: npt.NDArray[np.uint8]
    words: Hashes
    names: Hashes
    bounds: npt.NDArray[np.int64]


class Part(NamedTuple):
    """A word, number or mark as it stands: ``surface`` for people, ``stem`` for comparing."""

    kind: int
    surface: str
    stem: str


def language_code(tag: str | None) -> str:
    """The primary subtag of a BCP 47 tag in lower case; empty when there is none."""
    return (tag or "").lower().replace("_", "-").split("-")[0]


class Tokenizer:
    """The terms of texts in one language; remembers what it has split (bounded)."""

    def __init__(self, language: str) -> None:
        algorithm = _STEMMERS.get(language)
        self._stem = Stemmer.Stemmer(algorithm).stemWord if algorithm else None
        # Words of different languages must not share frequencies: "die" is rare in English.
        self._salt = crc32(language.encode())
        self._forget()

    def _forget(self) -> None:
        self._chunks: dict[str, int] = {}
        self._starts = np.zeros(_MAX_CHUNKS + 1, dtype=np.int32)
        self._kinds = np.zeros(_MAX_PARTS, dtype=np.uint8)
        self._words = np.zeros(_MAX_PARTS, dtype=np.uint32)
        self._names = np.zeros(_MAX_PARTS, dtype=np.uint32)
        # Writing one number is faster this way.
        self._slates = (
            self._starts.data,
            self._kinds.data,
            self._words.data,
            self._names.data,
        )

    def terms(self, *texts: str) -> Terms:
        """Split texts (already cut to a sane length, 200,000 characters at most) into terms."""
        split = [_chunks(text) for text in texts]
        index = self._indices(list(chain.from_iterable(split)))
        starts = self._starts[index]
        lengths = self._starts[index + 1] - starts
        ends = np.zeros(len(index) + 1, dtype=np.int64)
        lengths.cumsum(out=ends[1:])
        where = np.arange(ends[-1]) + (starts - ends[:-1]).repeat(lengths)
        bounds = np.zeros(len(texts) + 1, dtype=np.int64)
        bounds[1:] = ends[np.cumsum([len(some) for some in split])]
        return Terms(
            self._kinds.take(where), self._words.take(where), self._names.take(where), bounds
        )

    def _indices(self, chunks: list[str]) -> npt.NDArray[np.int32]:
        """What each chunk is remembered as, once those that are new have been learnt."""
        # Splitting at spaces and remembering each chunk is five times faster than matching the
        # whole text: nearly every chunk has been seen.
        index = self._known(chunks)
        new = (index < 0).nonzero()[0].tolist()
        used = self._starts[len(self._chunks)] + sum(len(chunks[at]) for at in new)
        if new and (len(self._chunks) + len(new) > _MAX_CHUNKS or used > _MAX_PARTS):
            self._forget()
            new = list(range(len(chunks)))
        for at in new:
            known = self._chunks.get(chunks[at])
            index[at] = self._learn(chunks[at]) if known is None else known
        return index

    def _known(self, chunks: list[str]) -> npt.NDArray[np.int32]:
        return np.fromiter(map(self._chunks.get, chunks, repeat(-1)), np.int32, len(chunks))

    def parts(self, text: str) -> Iterator[Part]:
        """The parts of ``text`` as strings: slower, for people and for training."""
        return chain.from_iterable(map(self._split, _chunks(text)))

    def word_hash(self, stem: str) -> int:
        """What ``terms`` calls this word."""
        return crc32(stem.encode("utf-8", "replace"), self._salt)

    def spelled(self, text: str, wanted: frozenset[int], mask: int) -> Iterator[str]:
        """The runs of capitalised words of ``text`` whose masked hashes are all ``wanted``."""
        run: list[str] = []
        for chunk in _chunks(text):
            first = chunk[0]
            if (first.isupper() or not first.isalnum()) and self._begins_with(chunk, wanted, mask):
                run.append(_POSSESSIVE.sub("", chunk.strip(_PUNCTUATION)))
                if chunk[-1].isalnum():
                    continue
            if run:
                yield " ".join(run)
                run = []
        if run:
            yield " ".join(run)

    def _begins_with(self, chunk: str, wanted: frozenset[int], mask: int) -> bool:
        """Whether the first word of a chunk is wanted; nothing is learnt by asking."""
        index = self._chunks.get(chunk)
        if index is None:
            words = (self.word_hash(p.stem) for p in self._split(chunk) if p.kind != BREAK)
        else:
            starts, kinds, hashes, _ = self._slates
            places = range(starts[index], starts[index + 1])
            words = (hashes[at] for at in places if kinds[at] != BREAK)
        return any(word & mask in wanted for word in islice(words, 1))

    def _learn(self, chunk: str) -> int:
        index = len(self._chunks)
        self._chunks[chunk] = index
        starts, kinds, words, names = self._slates
        at = starts[index]
        for part in self._split(chunk):
            kinds[at] = part.kind
            words[at] = self.word_hash(part.stem)
            names[at] = name_hash(part.surface)
            at += 1
        starts[index + 1] = at
        return index

    def _split(self, chunk: str) -> Iterator[Part]:
        # Most chunks are a plain word: no need to look for its parts.
        plain = chunk.isascii() and chunk.isalpha()
        for token in (chunk,) if plain else _TOKEN.findall(chunk):
            if token[0].isdigit():
                number = token.replace(",", "")[:_MAX_TOKEN]
                yield Part(NUMBER, number, number)
            elif not token[0].isalpha():
                if token not in _JOINERS:
                    yield Part(BREAK, token, "")
            elif not token.isascii() and _UNSPACED.search(token):
                yield from (Part(PLAIN, part, part) for part in _unspaced(token))
            else:
                surface = token[:_MAX_TOKEN]
                if not surface.isalpha():
                    surface = _POSSESSIVE.sub("", surface) or token[:1]
                stem = surface.casefold()
                if self._stem is not None:
                    stem = self._stem(stem)
                yield Part(CAPITAL if token[0].isupper() else PLAIN, surface, stem)


def name_hash(surface: str) -> int:
    """A name's hash: of its case-folded form, in no language."""
    return crc32(surface.casefold().encode("utf-8", "replace"))


def _chunks(text: str) -> list[str]:
    """What stands between spaces; chunks too long to be remembered are taken apart first."""
    # With the commonest marks on their own there are half as many chunks to learn.
    text = text.replace(". ", " ")
    for mark in _ENDING:
        text = text.replace(f"{mark} ", f" {mark} ")
    for mark in _AROUND:
        text = text.replace(mark, f" {mark} ")
    chunks = text.split()
    if not chunks or max(map(len, chunks)) <= _MAX_TOKEN:
        return chunks
    return list(chain.from_iterable(map(_shorter, chunks)))


def _shorter(chunk: str) -> list[str]:
    if len(chunk) <= _MAX_TOKEN:
        return [chunk]
    return [
        token[at : at + _MAX_TOKEN]
        for token in _TOKEN.findall(chunk)
        for at in range(0, len(token), _MAX_TOKEN - 1)
    ]


def _unspaced(word: str) -> Iterator[str]:
    """Character bigrams of the parts written without spaces, the rest as it is."""
    end = 0
    for match in _UNSPACED.finditer(word):
        if match.start() > end:
            yield word[end : match.start()]
        part = match.group()
        yield from (part[i : i + 2] for i in range(max(len(part) - 1, 1)))
        end = match.end()
    if end < len(word):
        yield word[end:]
