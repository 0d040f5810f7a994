"""The streaming matcher: an article comes, and is told which story it belongs to, and why.

Pure and in memory. What it knows follows from the documents in its window and the decisions that
were recorded for them: ``restore`` with both, in order of arrival, gives the matcher that was.

    add:  fingerprint -> candidates from the index -> features of pairs -> log-odds
          -> copy of one of them? else the story with the best average, or a new one
          -> second looks at what is young and linked
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from aggregator.matching.background import BUCKETS
from aggregator.matching.column import Column
from aggregator.matching.completing import completed
from aggregator.matching.copies import containment
from aggregator.matching.corrections import Correction, Corrections
from aggregator.matching.decisions import (
    Decision,
    Evidence,
    Explanation,
    FoldResult,
    Move,
    NotChosen,
)
from aggregator.matching.document import Document
from aggregator.matching.fingerprint import MAX_TITLE, Fingerprint, Fingerprinter, common_names
from aggregator.matching.model import Model
from aggregator.matching.pairs import COSINES, FEATURES, Comparer, Floats
from aggregator.matching.reasons import Kind, Reason, apart, in_words, probability, why_not
from aggregator.matching.recurring import RecurringTitles, title_key
from aggregator.matching.stories import CANNOT, FLOOR, MUST, Stories
from aggregator.matching.window import NEIGHBOURS, Window

CAP = 8_000
"""Log-odds, in thousandths, beyond which one pair cannot outweigh others any more."""
COPY = 0.8
"""The share of the shorter text's shingles that makes the other a copy."""
_COPY_COSINE = 500
_SHOWN = 3
_ALONE = ("kept alone by a rule",)
_NAMES_READ = 300
Compared = tuple[Sequence[int], Floats]
"""The slots that an article was compared with, and the features of each pair, in their order."""
_NOTHING: Compared = ((), np.zeros((0, len(FEATURES)), dtype=np.float32))


@dataclass(frozen=True, slots=True)
class Limits:
    """How far back the matcher remembers: days since arrival and number of documents."""

    days: float = 3_650.0
    documents: int = 100_000


class Matcher:
    """Decides, one document at a time, which documents tell the same event."""

    def __init__(
        self,
        model: Model,
        limits: Limits | None = None,
        corrections: Iterable[Correction] = (),
    ) -> None:
        self._model = model
        self.limits = limits or Limits()
        self._corrections = Corrections(corrections)
        self._fingerprinter = Fingerprinter(model.background)
        self._comparer = Comparer()
        self._prepared: dict[int, tuple[Document, Fingerprint]] = {}
        self._window = Window(model.background)
        self._stories = Stories(model.rules)
        self._titles = RecurringTitles()
        self._alone: set[int] = set()
        self._slots: dict[int, int] = {}
        self._ids = Column[int]("q")
        self._urls: dict[int, str] = {}
        self._arrived = Column[float]("d")

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, document: int) -> bool:
        return document in self._slots

    def prepare(self, documents: Sequence[Document]) -> None:
        """Boil down what is about to be added or restored: together that is cheaper."""
        made = self._fingerprinter.make_all(documents)
        pairs = zip(documents, made, strict=True)
        self._prepared = {document.id: (document, one) for document, one in pairs}

    # --- deciding -----------------------------------------------------------------------------

    def add(self, document: Document) -> FoldResult:
        """Decide where ``document`` belongs and remember it.

        Raises ValueError when its id is already in the window.
        """
        self._make_room(document)
        title = title_key(document)
        recurring = document.alone or self._titles.recurs(document, title)
        new = self._fingerprint(document)
        candidates = [] if recurring else self._candidates(document, new)
        evidence, shown = self._compare(new, candidates)
        slot = self._admit(document, new, title, evidence, alone=recurring)
        original = self._copied(slot, new, evidence)
        found = None if original is not None else self._stories.best(slot)
        if original is not None:
            story, text = self._stories.story(original), self._stories.text(original)
        else:
            story, text = found[0] if found else document.id, document.id
        self._stories.put(slot, story, text)
        looks = list(self._stories.second_looks(slot)) if original is None else []
        moves = tuple(self._moved((one for one, _ in looks), besides=slot))
        reason = self._reason(slot, document, shown)
        return FoldResult(
            Decision(
                id=document.id,
                story=self._stories.story(slot),
                copy_of=self._copy_of(slot),
                score=reason.score,
                reason=reason,
                evidence=tuple(evidence),
                recurring=recurring,
            ),
            moves,
        )

    def restore(self, document: Document, decision: Decision) -> None:
        """Remember ``document`` as it was decided; ``decision.story`` is where it stands now.

        To rebuild a matcher call this for every document in the window, in order of arrival.
        Raises ValueError when its id is already in the window.
        """
        self._make_room(document)
        new = self._fingerprint(document)
        slot = self._admit(
            document, new, title_key(document), decision.evidence, alone=decision.recurring
        )
        text = document.id if decision.copy_of is None else decision.copy_of
        self._stories.put(slot, decision.story, text)

    def forget(self, document: int) -> None:
        """Let go of a document that turned out to be another one."""
        slot = self._slots.get(document)
        if slot is not None:
            self._drop(slot)
            self._window.forget(slot)

    def apply(self, corrections: Iterable[Correction]) -> tuple[Move, ...]:
        """Obey operators: which documents moved. What is not in the window is noted for later."""
        moved: dict[int, None] = {}
        for one in corrections:
            self._corrections.add([one])
            a, b = self._slots.get(one.a), self._slots.get(one.b)
            if a is None or b is None or a == b:
                continue
            if one.together:
                changes = self._stories.join(a, b)
            else:
                key = _split_key(one.b, self._stories.story(a))
                changes = self._stories.split(a, b, key, one.b)
            moved.update((slot, None) for slot, _ in changes)
        return tuple(self._moved(moved, operator=True))

    def forget_before(self, document: int | None) -> None:
        """Forget all that came before ``document``; everything, where it is None.

        One that left the window long ago has nothing before it.
        """
        if document is None or document in self._slots:
            first = None if document is None else self._slots[document]
            while len(self._window) and self._window.oldest != first:
                self._evict()

    def explain(self, document: int, told: Document | None = None) -> Explanation:
        """Why a document stands where it stands. Raises KeyError when it is not in the window.

        The names it has in common with others are spelled where it is given once more as ``told``.
        """
        slot = self._slots[document]
        home = self._stories.story(slot)
        averages = self._stories.averages(self._stories.original(slot))
        nearest = sorted((-average, story) for story, average in averages.items() if story != home)
        return Explanation(
            id=document,
            story=home,
            copy_of=self._copy_of(slot),
            reason=self._reason(slot, told),
            not_chosen=tuple(self._not_chosen(slot, story, told) for _, story in nearest[:_SHOWN]),
        )

    # --- what a new document is compared with ----------------------------------------------------

    def _make_room(self, document: Document) -> None:
        if document.id in self._slots:
            msg = f"document {document.id} is already in the window"
            raise ValueError(msg)
        now = document.arrived.timestamp() / 86_400
        window = self._window
        while len(window) and (
            len(window) >= self.limits.documents
            or now - self._arrived[window.oldest] > self.limits.days
        ):
            self._evict()

    def _evict(self) -> None:
        """Forget the oldest document."""
        slot = self._window.oldest
        if slot in self._window:
            self._drop(slot)
        self._window.evict()
        for part in (self._ids, self._arrived, self._stories, self._titles):
            part.drop_before(self._window.oldest)

    def _drop(self, slot: int) -> None:
        self._stories.drop(slot)
        self._titles.drop(slot)
        self._alone.discard(slot)
        self._urls.pop(slot, None)
        del self._slots[self._ids[slot]]

    def _candidates(self, document: Document, new: Fingerprint) -> list[int]:
        """Originals that the index proposes, but no earlier version of the document itself."""
        found = self._stories.originals(self._window.candidates(new))
        url = document.url
        return [
            slot
            for slot in dict.fromkeys(found)
            if slot not in self._alone and (url is None or self._urls.get(slot) != url)
        ]

    def _compare(self, new: Fingerprint, candidates: list[int]) -> tuple[list[Evidence], Compared]:
        """The log-odds with the candidates and with the rest of the stories they suggest.

        Also the features of every pair, to say why.
        """
        if not candidates:
            return [], _NOTHING
        stories = self._stories
        slots = candidates + completed(self._window, candidates, stories.story, stories.members)
        features = self._comparer.compare(self._window, new, slots, len(candidates))
        odds = np.rint(self._model.network.log_odds(features) * 1000)
        odds = np.minimum(np.maximum(odds, -CAP), CAP)
        cosines = np.rint(features[:, 0] * 1000)
        least = max(sorted(cosines.tolist())[-NEIGHBOURS:][0], 1)
        told = ((odds > FLOOR) | (cosines >= least)).nonzero()[0]
        ids = [self._ids[slots[at]] for at in told.tolist()]
        numbers = (part[told].astype(int).tolist() for part in (odds, cosines))
        return list(map(Evidence, ids, *numbers)), (slots, features)

    def _fingerprint(self, document: Document) -> Fingerprint:
        prepared, made = self._prepared.pop(document.id, (None, None))
        if prepared is document and made is not None:
            return made
        return self._fingerprinter.make(document)

    def _admit(
        self,
        document: Document,
        new: Fingerprint,
        title: int,
        evidence: Sequence[Evidence],
        *,
        alone: bool,
    ) -> int:
        """Remember everything about a document that does not depend on where it belongs."""
        slot = self._window.add(new)
        if alone:
            self._alone.add(slot)
        self._slots[document.id] = slot
        arrived = document.arrived.timestamp() / 86_400
        self._ids.add(document.id)
        self._arrived.add(arrived)
        self._stories.admit(slot, arrived, new.title_words + new.words)
        self._titles.add(title)
        if document.url is not None:
            self._urls[slot] = document.url
        others = [self._slots.get(one.id) for one in evidence]
        self._window.remember(slot, others, [one.cosine / 1000 for one in evidence])
        for other, one in zip(others, evidence, strict=True):
            if other is not None and one.log_odds > FLOOR:
                self._stories.link(slot, other, one.log_odds)
        for id_, together in self._corrections.about(document.id).items():
            if id_ in self._slots and id_ != document.id:
                self._stories.link(slot, self._slots[id_], MUST if together else CANNOT)
        return slot

    def _copied(self, slot: int, new: Fingerprint, evidence: Sequence[Evidence]) -> int | None:
        """The article that a new one is a copy of, if any."""
        best, original = COPY, None
        for one in evidence:
            if one.cosine >= _COPY_COSINE:
                other = self._slots[one.id]
                share = containment(new.shingles, self._window[other].shingles)
                if share > best and not self._stories.forbids(slot, self._stories.story(other)):
                    best, original = share, other
        return original

    # --- saying why -----------------------------------------------------------------------------

    def _copy_of(self, slot: int) -> int | None:
        text = self._stories.text(slot)
        return None if text == self._ids[slot] else text

    def _moved(
        self, slots: Iterable[int], besides: int | None = None, *, operator: bool = False
    ) -> Iterator[Move]:
        for slot in dict.fromkeys(slots):
            if slot != besides:
                reason = self._reason(slot, operator=operator)
                story = self._stories.story(slot)
                yield Move(self._ids[slot], story, self._copy_of(slot), reason.score, reason)

    def _reason(
        self,
        slot: int,
        document: Document | None = None,
        shown: Compared = _NOTHING,
        *,
        operator: bool = False,
    ) -> Reason:
        home = self._stories.story(slot)
        original = self._stories.original(slot)
        if original != slot:
            share = containment(self._window[slot].shingles, self._window[original].shingles)
            return Reason(Kind.COPY, self._ids[original], share, COPY)
        partner = self._partner(slot, home)
        if partner is None:
            alone = _ALONE if document is not None and document.alone else ()
            return Reason(Kind.OPERATOR if operator else Kind.FIRST, parts=alone)
        told = abs(self._stories.links(slot)[partner]) >= MUST
        average = self._stories.averages(slot)[home]
        return Reason(
            kind=Kind.OPERATOR if told or operator else Kind.EVENT,
            partner=self._ids[partner],
            score=probability(average),
            needed=probability(self._stories.needed(slot, self._stories.size(home) - 1)),
            parts=self._parts(slot, partner, document, shown),
        )

    def _partner(self, slot: int, story: int) -> int | None:
        """The member of a story that is likest to an article."""
        links = self._stories.links(slot)
        near = [
            (log_odds, -other)
            for other, log_odds in links.items()
            if self._stories.original(other) == other and self._stories.story(other) == story
        ]
        return -max(near)[1] if near else None

    def _parts(
        self,
        slot: int,
        partner: int,
        document: Document | None = None,
        shown: Compared = _NOTHING,
    ) -> tuple[str, ...]:
        one, other = self._window[slot], self._window[partner]
        names: list[str] = []
        if document is not None:
            wanted = common_names(one, other)
            read = f"{document.title[:MAX_TITLE]} . {document.text[:_NAMES_READ]}"
            spelled = self._fingerprinter.tokenizer(one.language).spelled
            found = dict.fromkeys(spelled(read, wanted, BUCKETS - 1))
            names = sorted(found, key=len, reverse=True)[:_SHOWN]
        slots, compared = shown
        if partner in slots:
            features = compared[slots.index(partner)]
        else:
            features = self._comparer.compare(self._window, one, [partner])[0]
        cosines = dict(zip(COSINES, features.tolist(), strict=False))
        days = abs(one.published - other.published)
        return in_words(cosines, names, "undated" if math.isnan(days) else apart(days))

    def _not_chosen(self, slot: int, story: int, told: Document | None) -> NotChosen:
        one = self._stories.original(slot)
        nearest = self._partner(one, story)
        average = self._stories.averages(one)[story]
        assert nearest is not None  # noqa: S101 - averages are of stories with links
        size = self._stories.size(story)
        score, needed = probability(average), probability(self._stories.needed(one, size))
        if self._stories.forbids(one, story):
            why = "an operator's word keeps it out"
        else:
            home = self._stories.averages(one).get(self._stories.story(slot))
            why = why_not(score, needed, size, None if home is None else probability(home))
        parts = self._parts(one, nearest, told)
        return NotChosen(story, self._ids[nearest], score, needed, (*parts, why))


def _split_key(document: int, story: int) -> int:
    """A key for what an operator split off: the same each time, and no document's id."""
    mixed = (document * 0x9E3779B97F4A7C15 + story * 0xC2B2AE3D27D4EB4F) & (2**62 - 1)
    return -1 - mixed
