"""Why an article stands where it stands, as values and in words."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What decided."""

    FIRST = "first"
    EVENT = "event"
    COPY = "copy"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an article is in its story.

    ``partner`` is the id of the member most like it. ``score`` and ``needed`` are probabilities
    (0 to 1) that the story's event is the article's; ``parts`` what spoke for it, in words.
    """

    kind: Kind
    partner: int | None = None
    score: float = 0.0
    needed: float = 0.0
    parts: tuple[str, ...] = ()

    def __str__(self) -> str:
        match self.kind:
            case Kind.FIRST:
                head = "the first of its story"
            case Kind.COPY:
                head = f"a copy of {self.partner}"
            case Kind.OPERATOR:
                head = "an operator's word"
            case Kind.EVENT:
                head = f"the same event as {self.partner}"
        tail = f"needed {self.needed:.2f}, had {self.score:.2f}"
        return "; ".join([head, *self.parts, *([tail] if self.score else [])])


def probability(thousandths: float) -> float:
    """The probability that log-odds in thousandths stand for."""
    return 1 / (1 + math.exp(-max(min(thousandths / 1000, 50.0), -50.0)))


def apart(days: float) -> str:
    """A time between two articles in words."""
    if days < 1 / 24:
        return "within the hour"
    if days < 2:
        return f"{days * 24:.0f} hours apart"
    return f"{days:.0f} days apart"


def names_in(text: str, wanted: frozenset[int], name_hash: object) -> Iterator[str]:
    """The runs of capitalised words of ``text`` whose name hashes are all ``wanted``."""
    run: list[str] = []
    for chunk in text.split():
        word = chunk.strip(".,;:!?()[]\"'\u201c\u201d\u2018\u2019\u00ab\u00bb")
        word = word.removesuffix("'s").removesuffix("\u2019s")
        if word and word[0].isupper() and name_hash(word) in wanted:
            run.append(word)
            if chunk[-1].isalnum():
                continue
        if run:
            yield " ".join(run)
            run = []
    if run:
        yield " ".join(run)
