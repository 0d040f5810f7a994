"""Inputs spoiled by chance, from a seed: the same seed, the same inputs.

A :class:`Mutator` starts from ordinary inputs, knows the words they are made of, and is told which
of its inventions led to something not seen before: those are spoiled further.
"""

import random
import re
from collections.abc import Sequence

MOST = 100_000
"""Bytes of an input; what is long for its own sake is asked elsewhere."""
KEPT = 2_000
"""Inputs that are spoiled further."""
_WORD = re.compile(
    rb"</?[\w:.-]+(?:\s[^<>]{0,60})?>|[\w:.-]+=|\"[^\"\n]{0,60}\"|[\w:-]+|[^\w\s]{1,4}"
)
_NUMBER = re.compile(rb"\d+")
_NUMBERS = (b"0", b"-1", b"1e999", b"99999999999999999999", b"2147483648", b"NaN", b"00", b"0x10")
_NASTY = (
    *(
        b"\0",
        b"\r",
        b"\n",
        b"\t",
        b" ",
        b"\x85",
        b"\xff",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
    ),
    *(
        b"\xf4\x90\x80\x80",
        b"\xe2\x80\xae",
        b"\xff\xfe",
        b"&#0;",
        b"&#xD800;",
        b"&amp;",
        b"&",
        b"%",
    ),
    *(
        b"%00",
        b"%0d%0a",
        b"%c3%28",
        b"\\ud800",
        b"\\u0000",
        b'"',
        b"'",
        b"<",
        b">",
        b"[",
        b"]",
        b"{",
    ),
    *(b"}", b"//", b"../", b"http://[", b"javascript:", b"<script>alert(1)</script>", b"<![CDATA["),
    *(b"]]>", b"<!--", b"-->", b"<!DOCTYPE x [", b'<!ENTITY a "b">', b"&a;", b"null", b"true"),
)


class Mutator:
    """Spoils inputs of ``corpus``, with ``words`` beside those found in it."""

    def __init__(self, corpus: Sequence[bytes], seed: int, words: Sequence[bytes] = ()) -> None:
        self._chance = random.Random(seed)
        self._corpus = [one[:MOST] for one in corpus]
        self._own = len(self._corpus)
        found = {word for one in self._corpus for word in _WORD.findall(one)}
        self._words = (*sorted(found), *words)

    def next(self) -> bytes:
        """Another input, with one to some wounds."""
        torn = bytearray(self._chance.choice(self._corpus))
        for _ in range(self._chance.choice((1, 1, 2, 3, 5, 8))):
            self._chance.choice(_WOUNDS)(self, torn)
        return bytes(torn[:MOST])

    def keep(self, data: bytes) -> None:
        """``data`` led to something new: others shall be made of it."""
        if len(self._corpus) < self._own + KEPT:
            self._corpus.append(data)
        else:
            self._corpus[self._chance.randrange(self._own, len(self._corpus))] = data

    # Each wound is a method: of the input, at a place of its own choice.

    def _cut(self, torn: bytearray) -> None:
        start, end = self._span(torn)
        del torn[start:end]

    def _double(self, torn: bytearray) -> None:
        start, end = self._span(torn)
        times = self._chance.choice((1, 1, 2, 10, 100, 1000))
        torn[end:end] = (torn[start:end] * times)[:MOST]

    def _flip(self, torn: bytearray) -> None:
        for _ in range(self._chance.choice((1, 2, 8))):
            if torn:
                torn[self._chance.randrange(len(torn))] ^= 1 << self._chance.randrange(8)

    def _insert(self, torn: bytearray) -> None:
        place = self._place(torn)
        torn[place:place] = self._word()

    def _replace(self, torn: bytearray) -> None:
        start, end = self._word_span(torn)
        torn[start:end] = self._word()

    def _number(self, torn: bytearray) -> None:
        if found := list(_NUMBER.finditer(torn)):
            start, end = self._chance.choice(found).span()
            torn[start:end] = self._chance.choice(_NUMBERS)

    def _repeat(self, torn: bytearray) -> None:
        place = self._place(torn)
        torn[place:place] = (self._word() * self._chance.choice((3, 30, 300, 3000)))[:MOST]

    def _splice(self, torn: bytearray) -> None:
        other = self._chance.choice(self._corpus)
        start, end = self._span(other)
        place = self._place(torn)
        torn[place:place] = other[start:end]

    def _swap(self, torn: bytearray) -> None:
        start, end = self._word_span(torn)
        word = bytes(torn[start:end])
        del torn[start:end]
        place = self._place(torn)
        torn[place:place] = word

    def _end(self, torn: bytearray) -> None:
        del torn[self._place(torn) :]

    def _word(self) -> bytes:
        return self._chance.choice(_NASTY if self._chance.random() < 0.4 else self._words)

    def _place(self, data: bytes | bytearray) -> int:
        return self._chance.randrange(len(data) + 1)

    def _span(self, data: bytes | bytearray) -> tuple[int, int]:
        start = self._place(data)
        return start, start + self._chance.choice((1, 4, 16, 64, 256, 4096))

    def _word_span(self, data: bytes | bytearray) -> tuple[int, int]:
        found = _WORD.search(data, self._place(data))
        return found.span() if found else self._span(data)


_WOUNDS = (
    *(Mutator._cut, Mutator._double, Mutator._flip, Mutator._insert, Mutator._insert),
    *(Mutator._replace, Mutator._replace, Mutator._number, Mutator._repeat, Mutator._splice),
    *(Mutator._swap, Mutator._end),
)
