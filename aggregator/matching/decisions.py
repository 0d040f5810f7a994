"""What the matcher answers: decisions, moves and explanations, as plain values."""

from dataclasses import dataclass, field
from typing import NamedTuple

from aggregator.matching.reasons import Reason


class Evidence(NamedTuple):
    """What comparing with one earlier document said, recorded with the decision.

    ``log_odds`` of one event and ``cosine`` of the texts, both in thousandths.
    """

    id: int
    log_odds: int
    cosine: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a document belongs.

    ``story`` is an opaque key, never reused for another story. ``copy_of`` is the id of the
    document whose text it carries. ``score`` is the probability, 0 to 1, that the story's event is
    the document's (0 for the first of a story). ``recurring`` marks a title that its source uses
    again and again, so that it was not compared. ``evidence`` and ``recurring`` are for
    ``Matcher.restore``: keep them.
    """

    id: int
    story: int
    copy_of: int | None = None
    score: float = 0.0
    reason: Reason = field(default_factory=Reason)
    evidence: tuple[Evidence, ...] = ()
    recurring: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """A second look, or an operator, put an earlier document into another story."""

    id: int
    story: int
    copy_of: int | None
    score: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class FoldResult:
    """The new document's decision, and which earlier documents moved because of it."""

    decision: Decision
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class NotChosen:
    """A story that a document might have joined: its nearest member there, and why not.

    ``score`` and ``needed`` are probabilities, ``why`` is in words.
    """

    story: int
    nearest: int
    score: float
    needed: float
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a document stands now, why, and which stories were nearest but not chosen."""

    id: int
    story: int
    copy_of: int | None
    reason: Reason
    not_chosen: tuple[NotChosen, ...]
