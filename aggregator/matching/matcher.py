"""The streaming matcher: an article comes, and is told which story it belongs to, and why.

Pure and in memory. What it knows follows from the documents in its window and the decisions that
were recorded for them: ``restore`` with both, in order of arrival, gives the matcher that was.

    add:  fingerprint -> candidates from the index -> features of pairs -> log-odds
          -> copy of one of them? else the story with the best average, or a new one
          -> second looks at what is young and linked
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aggregator.matching.copies import containment
from aggregator.matching.document import Document
from aggregator.matching.fingerprint import Fingerprint, Fingerprinter
from aggregator.matching.model import Model
from aggregator.matching.pairs import NEIGHBOURS, Comparer, remember
from aggregator.matching.reasons import Kind, Reason, probability
from aggregator.matching.stories import CANNOT, FLOOR, MUST, Stories
from aggregator.matching.window import Window

CAP = 8_000
COPY = 0.8
_COPY_COSINE = 0.5
_COMPLETE = 256
"""Members of a likely story that are compared although the index did not name them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far back the matcher remembers: by days since arrival and by number of documents."""

    days: float = 730.0
    documents: int = 100_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """What comparing with one earlier document said, to be recorded with the decision.

    ``log_odds`` of one event and ``cosine`` of the texts, both in thousandths.
    """

    id: int
    log_odds: int
    cosine: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a document belongs. ``story`` is an opaque key; ``evidence`` is for ``restore``."""

    id: int
    story: int
    copy_of: int | None
    score: float
    reason: Reason
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """A second look put an earlier document into another story."""

    id: int
    story: int
    score: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class FoldResult:
    """The new document's decision, and which earlier documents moved because of it."""

    decision: Decision
    moves: tuple[Move, ...] = ()


class Matcher:
    """Decides, one document at a time, which documents tell the same event."""

    def __init__(self, model: Model, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        self._model = model
        self._limits = limits
        self._fingerprinter = Fingerprinter(model.background)
        self._comparer = Comparer()
        self._window = Window(model.background)
        self._stories = Stories(model.rules)
        self._slots: dict[int, int] = {}
        self._ids: dict[int, int] = {}
        self._urls: dict[str, int] = {}
        self._nearest: dict[int, npt.NDArray[np.float32]] = {}
        self._arrived: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, document: Document) -> FoldResult:
        """Decide where ``document`` belongs and remember it.

        Raises ValueError when its id is already in the window.
        """
        slot, fingerprint = self._enter(document)
        candidates = self._candidates(document, fingerprint)
        compared = self._compare(slot, fingerprint, candidates)
        self._admit(slot, document, fingerprint, compared)
        original = self._copied(fingerprint, compared)
        if original is not None:
            story, score, kind = self._stories.story(original), CAP, Kind.COPY
        else:
            found = self._stories.best(slot)
            story, score = found or (document.id, 0)
            kind = Kind.EVENT if found else Kind.FIRST
        self._stories.put(slot, story, self._arrived[slot], original)
        moves = [] if original is not None else list(self._stories.second_looks(slot))
        return FoldResult(
            Decision(
                id=document.id,
                story=self._stories.story(slot),
                copy_of=None if original is None else self._ids[original],
                score=probability(score) if kind is not Kind.FIRST else 0.0,
                reason=Reason(kind),
                evidence=tuple(compared),
            ),
            tuple(
                Move(self._ids[moved], story, 0.0, Reason(Kind.EVENT))
                for moved, story in moves
                if moved != slot
            ),
        )

    def _enter(self, document: Document) -> tuple[int, Fingerprint]:
        if document.id in self._slots:
            msg = f"document {document.id} is already in the window"
            raise ValueError(msg)
        now = document.arrived.timestamp() / 86_400
        self._evict(now)
        return self._window.next, self._fingerprinter.make(document)

    def _evict(self, now: float) -> None:
        window = self._window
        while len(window) and (
            len(window) >= self._limits.documents
            or now - self._arrived[window.oldest] > self._limits.days
        ):
            slot = window.oldest
            window.evict()
            self._stories.drop(slot)
            del self._slots[self._ids.pop(slot)], self._nearest[slot], self._arrived[slot]

    def _candidates(self, document: Document, fingerprint: Fingerprint) -> list[int]:
        found = self._window.candidates(fingerprint).tolist()
        return list(dict.fromkeys(self._stories.original(slot) for slot in found))

    def _compare(self, slot: int, new: Fingerprint, candidates: list[int]) -> list[Evidence]:
        """The log-odds with the candidates and with the rest of the stories they suggest."""
        if not candidates:
            return []
        odds, cosines = self._score(new, candidates, None)
        missing = self._missing(dict(zip(candidates, odds, strict=True)))
        if missing:
            best = np.sort(np.array(cosines, dtype=np.float32) / 1000)[::-1]
            more_odds, more_cosines = self._score(new, missing, best)
            candidates = candidates + missing
            odds, cosines = odds + more_odds, cosines + more_cosines
        top = sorted(cosines, reverse=True)[:NEIGHBOURS][-1]
        return [
            Evidence(self._ids[other], odd, cosine)
            for other, odd, cosine in zip(candidates, odds, cosines, strict=True)
            if odd > FLOOR or cosine >= max(top, 1)
        ]

    def _score(self, new, candidates, best):
        nearest = np.stack([self._nearest[other] for other in candidates])
        features = self._comparer.compare(self._window, new, candidates, nearest, best)
        odds = np.rint(self._model.log_odds(features) * 1000).clip(-CAP, CAP)
        return odds.astype(int).tolist(), np.rint(features[:, 0] * 1000).astype(int).tolist()

    def _missing(self, odds: dict[int, int]) -> list[int]:
        """Members of stories that look likely by those compared, but were not compared."""
        sums: dict[int, list[int]] = {}
        for slot, odd in odds.items():
            sums.setdefault(self._stories.story(slot), []).append(max(odd, FLOOR))
        likely = [
            (sum(found) / len(found), story)
            for story, found in sums.items()
            if len(found) < self._stories.size(story)
        ]
        missing: list[int] = []
        for average, story in sorted(likely, reverse=True)[:3]:
            if average > self._stories.rules.join:
                rest = [m for m in self._stories.members(story) if m not in odds]
                step = -(-len(rest) // _COMPLETE)
                missing += rest[::step]
        return missing

    def _admit(
        self, slot: int, document: Document, fingerprint: Fingerprint, compared: list[Evidence]
    ) -> None:
        """Everything about a document that does not depend on where it belongs."""
        self._window.add(fingerprint)
        self._slots[document.id] = slot
        self._ids[slot] = document.id
        self._arrived[slot] = document.arrived.timestamp() / 86_400
        alive = [(self._slots.get(e.id), e) for e in compared]
        remember(self._nearest, slot, {o: e.cosine / 1000 for o, e in alive if o is not None})
        for other, evidence in alive:
            if other is not None and evidence.log_odds > FLOOR:
                self._stories.link(slot, other, evidence.log_odds)

    def _copied(self, new: Fingerprint, compared: list[Evidence]) -> int | None:
        """The document that ``new`` is a copy of, if any."""
        best, original = COPY, None
        for evidence in compared:
            if evidence.cosine < _COPY_COSINE * 1000:
                continue
            slot = self._slots[evidence.id]
            share = containment(new.shingles, self._window[slot].shingles)
            if share > best:
                best, original = share, slot
        return original
