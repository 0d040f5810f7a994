"""Several readings of one page, and a vote on each of its blocks.

No extractor is right on every page, but they fail on different ones. A block is kept when two of
three readings hold it and it stands between the page's heading and the last block that the density
reading shares with another. Compared with the best single setting in docs/extraction.md.
"""

from collections.abc import Container, Iterable, Sequence

from feeds.page.blocks import HEADINGS, Block
from feeds.page.furniture import words

_LONG = 8
_LONG_CHARACTERS = 40
_PROBE = 5
_PROBES = 4
_NEAR = 400
_AGREED = 0.1
_CONTESTED = 0.04
_HEAD = 60
_HEAD_BLOCKS = 6
_PARAGRAPH = 25


class Heard:
    """The text of a reading, ready to be asked, in the page's order, whether a block is in it."""

    def __init__(self, text: str) -> None:
        tokens = words(text)
        self.size = len(tokens)
        self._text = f" {' '.join(tokens)} "
        self._at = 0

    def again(self) -> "Heard":
        """The same reading, to be asked from the beginning."""
        self._at = 0
        return self

    def holds(self, tokens: Sequence[str]) -> bool:
        """Whether a block's words are in the reading.

        Of a long block, half of some probes must be found anywhere; a short one, which may well
        occur in a menu too, must stand whole and near the last long one.
        """
        if len(tokens) >= _LONG:
            last = len(tokens) - _PROBE
            starts = [last * number // (_PROBES - 1) for number in range(_PROBES)]
            found = sum(self._finds(tokens[start : start + _PROBE]) for start in starts)
            return 2 * found >= _PROBES
        phrase = f" {' '.join(tokens)} "
        if len(phrase) >= _LONG_CHARACTERS:  # few tokens, but not short: Chinese, Japanese, Thai
            return self._finds(tokens)
        at = self._text.find(phrase, self._at, self._at + _NEAR)
        self._at = max(at, self._at)
        return at >= 0 or self._text.find(phrase, max(0, self._at - _NEAR), self._at) >= 0

    def _finds(self, probe: Sequence[str]) -> bool:
        phrase = f" {' '.join(probe)} "
        at = self._text.find(phrase, self._at)
        if at < 0:
            at = self._text.find(phrase, 0, self._at + len(phrase))
        if at >= 0:
            self._at = at
        return at >= 0


def settled(blocks: Sequence[Block], dense: Sequence[Block], other: Heard) -> list[Block] | None:
    """The article where two readings leave next to nothing to decide; None where they differ.

    Two of three votes decide, so where both agree a third reading would change nothing.
    """
    own, stretch = _stretch(blocks, dense)
    votes = [_votes(block, own, (other,)) for block in stretch]
    agreed = [block for block, vote in zip(stretch, votes, strict=True) if vote == 2]
    contested = [block for block, vote in zip(stretch, votes, strict=True) if vote == 1]
    size = size_of(agreed)
    return agreed if size > other.size / 2 and size_of(contested) <= _CONTESTED * size else None


def elect(
    blocks: Sequence[Block], dense: Sequence[Block], careful: Heard, other: Heard
) -> list[Block]:
    """The blocks at least two of the readings hold; empty when they have nothing in common.

    ``dense`` is the density reading of the same blocks, ``careful`` the one that favours precision:
    what it holds inside the article needs no second.
    """
    own, stretch = _stretch(blocks, dense)
    sure = [_votes(block, (), (careful,)) > 0 for block in stretch]
    votes = [
        _votes(block, own, (other,)) + heard for block, heard in zip(stretch, sure, strict=True)
    ]
    core = [at for at, block in enumerate(stretch) if votes[at] >= 2 and id(block) in own]
    if size_of(stretch[at] for at in core) > _AGREED * max(careful.size, other.size):
        inside = range(core[0], core[-1] + 1)
        return _from_sure_head(
            [
                (stretch[at], sure[at])
                for at in range(core[-1] + 1)
                if votes[at] >= 2 or (sure[at] and at in inside)
            ]
        )
    others = (careful.again(), other.again())
    return [block for block in blocks if _votes(block, own, others) >= 2]


def _from_sure_head(kept: Sequence[tuple[Block, bool]]) -> list[Block]:
    """The kept blocks without the dates, names and buttons at their head.

    There the careful reading's word is worth more than the two others': it counts alone.
    """
    for at, (block, sure) in enumerate(kept[:_HEAD_BLOCKS]):
        if sure or block.tag in HEADINGS or len(words(block.text)) >= _PARAGRAPH:
            return [block for block, _ in kept[at:]]
    return [block for block, _ in kept]


def _stretch(blocks: Sequence[Block], dense: Sequence[Block]) -> tuple[set[int], Sequence[Block]]:
    """The identities of the dense blocks, and all from the heading over them to the last."""
    own = {id(block) for block in dense}
    places = [at for at, block in enumerate(blocks) if id(block) in own]
    if not places:
        return own, ()
    before = range(max(0, places[0] - _HEAD), places[0])
    headings = [at for at in before if blocks[at].tag == "h1"]
    return own, blocks[headings[-1] + 1 if headings else places[0] : places[-1] + 1]


def size_of(blocks: Iterable[Block]) -> int:
    """How many words some blocks hold."""
    return sum(len(words(block.text)) for block in blocks)


def _votes(block: Block, own: Container[int], others: Sequence[Heard]) -> int:
    tokens = words(block.text)
    return (id(block) in own) + sum(other.holds(tokens) for other in others) if tokens else 0
