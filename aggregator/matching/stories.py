"""Which articles stand together, given the log-odds of pairs: average link, as articles come.

An article joins the story with the highest *average* log-odds over its members, if that is above
the threshold, or founds one. A pair that was not compared, or compared badly, counts as ``FLOOR``.
Second looks then repeat the question for what the new article has changed: whether two young
stories are one, and whether a young article belongs elsewhere. Copies follow their original and
have no voice of their own.

All log-odds are integers, in thousandths, so that sums do not depend on the order of adding and a
state rebuilt from storage is exactly the state that was lost.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aggregator.matching.column import Column
from aggregator.matching.completing import ENOUGH

FLOOR = -2_000
"""What a pair counts that was not compared, or is less likely than this."""
SHORT_FLOOR = -300
"""The same for headlines: that two of them share no word says little."""
_SHORT, _LONG = 15, 60
"""Words of a headline, and of an article long enough to share words with its like."""
_LARGE_STORY = 8
MUST, CANNOT = 10**12, -(10**12)
"""An operator's word as log-odds: outweighs everything in any average."""
_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Rules:
    """Thresholds in thousandths of log-odds; times in days."""

    join: int = 900
    join_short: int = 200
    move: int = 300
    young: float = 3.0


class Stories:
    """Articles by slot, their stories by key, and the links between articles."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._story: dict[int, int] = {}
        self._members: dict[int, list[int]] = {}
        self._links: dict[int, dict[int, int]] = {}
        # What the links of an article to the members of each story come to.
        self._sums: dict[int, dict[int, _Sum]] = {}
        self._arrived = Column[float]("d")
        self._brevity: dict[int, float] = {}
        self._text: dict[int, int] = {}
        # Of the articles with one text: the earliest, and the rest where there are any.
        self._originals: dict[int, int] = {}
        self._copies: dict[int, list[int]] = {}

    def story(self, slot: int) -> int:
        """The key of the story that an article belongs to."""
        return self._story[slot]

    def text(self, slot: int) -> int:
        """The key of the text that an article carries; copies share it."""
        return self._text[slot]

    def original(self, slot: int) -> int:
        """The earliest article in the window with the same text: the one with a voice."""
        return self._originals[self._text[slot]]

    def originals(self, slots: Iterable[int]) -> list[int]:
        """``original`` of each."""
        text, originals = self._text, self._originals
        return [originals[text[slot]] for slot in slots]

    def members(self, story: int) -> tuple[int, ...]:
        """A story's articles in the window without copies, oldest first."""
        return tuple(self._members.get(story, ()))

    def size(self, story: int) -> int:
        """How many articles a story has in the window, copies not counted."""
        return len(self._members.get(story, ()))

    def links(self, slot: int) -> dict[int, int]:
        """Log-odds above the floor, and operators' words, by the other article's slot."""
        return self._links.get(slot, {})

    def link(self, a: int, b: int, log_odds: int) -> None:
        """Remember how likely two articles tell one event; an operator's word stands."""
        if CANNOT < log_odds <= FLOOR:
            return
        before = self._links.get(a, {}).get(b)
        if before is not None and abs(before) >= MUST and abs(log_odds) < MUST:
            return
        for one, other in ((a, b), (b, a)):
            self._links.setdefault(one, {})[other] = log_odds
            if self._has_voice(other):
                if before is not None:
                    self._tell(one, self._story[other], before, -1)
                self._tell(one, self._story[other], log_odds, 1)

    def _has_voice(self, slot: int) -> bool:
        text = self._text.get(slot)
        return text is not None and self._originals[text] == slot

    def _tell(self, slot: int, story: int, log_odds: int, sign: int) -> None:
        """Add a link to, or take it from, what an article's links to a story come to."""
        sums = self._sums.setdefault(slot, {})
        total = sums.get(story)
        if total is None:
            total = sums[story] = [0, 0, 0]
        total[0] += sign * log_odds
        total[1] += sign * (max(log_odds, SHORT_FLOOR) if log_odds > CANNOT else log_odds)
        total[2] += sign
        if not total[2]:
            del sums[story]
            if not sums:
                del self._sums[slot]

    def _enter(self, slot: int, story: int) -> None:
        insort(self._members.setdefault(story, []), slot)
        for other, log_odds in self.links(slot).items():
            self._tell(other, story, log_odds, 1)

    def _leave(self, slot: int, story: int) -> None:
        members = self._members[story]
        del members[bisect_left(members, slot)]
        if not members:
            del self._members[story]
        for other, log_odds in self.links(slot).items():
            self._tell(other, story, log_odds, -1)

    def admit(self, slot: int, arrived: float, words: int) -> None:
        """Take an article in, of so many words, that arrived at a time in days: slot by slot."""
        self._arrived.add(arrived)
        if words < _LONG:
            self._brevity[slot] = min((_LONG - words) / (_LONG - _SHORT), 1.0)

    def needed(self, slot: int, size: int) -> float:
        """The average log-odds above which an article joins a story of ``size`` articles.

        The headlines of a large story differ so much that few of them share a word: the shorter an
        article and the larger the story, the less is asked, and the less an unlike pair counts.
        """
        rules = self.rules
        return rules.join + self._lenience(slot, size) * (rules.join_short - rules.join)

    def _lenience(self, slot: int, size: int) -> float:
        return self._brevity.get(slot, 0.0) * min(size - 1, _LARGE_STORY) / _LARGE_STORY

    def put(self, slot: int, story: int, text: int) -> None:
        """Place an article without deciding. ``text`` is a key that copies have in common."""
        self._story[slot] = story
        self._text[slot] = text
        if text in self._originals:
            self._copies.setdefault(text, []).append(slot)
        else:
            self._originals[text] = slot
            self._enter(slot, story)

    def drop(self, slot: int) -> None:
        """Forget an article and its links; its first copy stands for it from now on."""
        self._part(slot, self._story[slot])
        del self._story[slot]
        self._brevity.pop(slot, None)
        self._sums.pop(slot, None)
        for other in self._links.pop(slot, ()):
            links = self._links[other]
            del links[slot]
            if not links:
                del self._links[other]

    def drop_before(self, slot: int) -> None:
        """Let go of what was noted of the slots below ``slot``, which are forgotten."""
        self._arrived.drop_before(slot)

    def _part(self, slot: int, story: int) -> None:
        """Take an article out of its text and, if it had the voice, out of its story."""
        text = self._text.pop(slot)
        copies = self._copies.get(text)
        if self._originals[text] != slot:
            self._copies[text].remove(slot)
        else:
            self._leave(slot, story)
            del self._originals[text]
            if copies:
                heir = self._originals[text] = copies.pop(0)
                self._enter(heir, story)
        if copies is not None and not copies:
            del self._copies[text]

    def averages(self, slot: int) -> dict[int, float]:
        """The average log-odds of an article with each story it has links to (itself left out)."""
        found = {story: self._average(slot, story) for story in self._sums.get(slot, ())}
        return {story: average for story, average in found.items() if average is not None}

    def _average(self, slot: int, story: int) -> float | None:
        """The average log-odds of an article with a story; None where there is nothing to say."""
        size = len(self._members.get(story, ()))
        if self._story.get(slot) == story and self._has_voice(slot):
            size -= 1
        if not size:
            return None
        low, high, count = self._sums.get(slot, {}).get(story, (0, 0, 0))
        of = max(min(size, ENOUGH), count)
        lenience = self._lenience(slot, size)
        strict = (low + FLOOR * (of - count)) / of
        if not lenience:
            return strict
        return strict + lenience * ((high + SHORT_FLOOR * (of - count)) / of - strict)

    def best(self, slot: int) -> tuple[int, float] | None:
        """The story an article without one should join, and its average log-odds."""
        found = [
            (average, -story)
            for story, average in self.averages(slot).items()
            if average > self.needed(slot, self.size(story))
        ]
        if not found:
            return None
        average, story = max(found)
        return -story, average

    def second_looks(self, slot: int) -> Iterator[tuple[int, int]]:
        """Improve what a new article has changed; yields (article, story) for each that moved."""
        now = self._arrived[slot]
        for _ in range(_ROUNDS):
            pair = self._merge_candidate(slot, now)
            if pair is None:
                break
            kept, retired = pair
            for member in self.members(retired):
                yield from self.move(member, kept)
        home = self._story[slot]
        for other, log_odds in sorted(self.links(slot).items()):
            # Only what this article has changed: who may follow it, who may leave it.
            apart = self._story[other] != home
            if apart != (log_odds > 0) or not self._has_voice(other):
                continue
            if now - self._arrived[other] <= self.rules.young:
                target = self._better(other, (home,) if apart else self._sums[other])
                if target is not None:
                    yield from self.move(other, target)

    def move(self, slot: int, story: int) -> Iterator[tuple[int, int]]:
        """Take an original and its copies into another story; yields each with its new story."""
        self._leave(slot, self._story[slot])
        self._enter(slot, story)
        for one in (slot, *self._copies.get(self._text[slot], ())):
            self._story[one] = story
            yield one, story

    def join(self, a: int, b: int) -> Iterator[tuple[int, int]]:
        """An operator's word: put the stories of two articles together.

        Where another word forbids that, only ``b`` goes, into the story of ``a``.
        """
        self.link(a, b, MUST)
        kept, retired = self._elder(self._story[a], self._story[b])
        if kept == retired:
            return
        if self._between(kept, retired) > 0:
            for member in self.members(retired):
                yield from self.move(member, kept)
        else:
            yield from self.move(self.original(b), self._story[a])

    def split(self, a: int, b: int, story: int, text: int) -> Iterator[tuple[int, int]]:
        """An operator's word: ``b`` leaves the story of ``a`` for a new one.

        Articles that another word holds together with ``b`` go along. ``text`` is for where it
        was taken for a copy.
        """
        self.link(a, b, CANNOT)
        if self._story[a] != self._story[b]:
            return
        if self._text[a] == self._text[b]:
            self._part(b, self._story.pop(b))
            self.put(b, story, text)
            yield b, story
        else:
            yield from self.move(self.original(b), story)
        home = self._story[a]
        for other, log_odds in sorted(self.links(b).items()):
            if log_odds >= MUST and self._story[other] == home and other != self.original(a):
                yield from self.move(self.original(other), story)

    def forbids(self, slot: int, story: int) -> bool:
        """Whether an operator's word keeps an article out of a story, or holds it in another."""
        return any(
            (log_odds <= CANNOT and self._story[other] == story)
            or (log_odds >= MUST and self._story[other] != story)
            for other, log_odds in self.links(slot).items()
        )

    def _better(self, slot: int, stories: Iterable[int]) -> int | None:
        """Which of some stories a young article should move to, if any is better than its own."""
        home = self._story[slot]
        here = None if self.size(home) == 1 else self._average(slot, home)
        stay = -math.inf if here is None else here + self.rules.move
        found = [
            (average, -story)
            for story in stories
            if story != home
            and (average := self._average(slot, story)) is not None
            and average > max(stay, self.needed(slot, self.size(story)))
        ]
        return -max(found)[1] if found else None

    def _merge_candidate(self, slot: int, now: float) -> tuple[int, int] | None:
        """The likeliest story to be one with ``slot``'s, as (the one that stays, the other)."""
        home = self._story[slot]
        best: tuple[float, int] | None = None
        for story, near in sorted(self.averages(slot).items()):
            if (
                near <= 0
                or story == home
                or not (self._young(story, now) or self._young(home, now))
            ):
                continue
            average = self._between(home, story)
            size = max(self.size(home), self.size(story))
            if average > self.needed(slot, size) and (best is None or average > best[0]):
                best = average, story
        if best is None:
            return None
        return self._elder(home, best[1])

    def _elder(self, one: int, other: int) -> tuple[int, int]:
        first, second = sorted((one, other), key=lambda s: (self._members[s][0], s))
        return first, second

    def _young(self, story: int, now: float) -> bool:
        return now - self._arrived[self._members[story][0]] <= self.rules.young

    def _between(self, one: int, other: int) -> float:
        """The average log-odds of the pairs that join two stories."""
        small, large = sorted((one, other), key=lambda story: (self.size(story), story))
        members = self._members[small]
        odds = [self._average(member, large) for member in members]
        return sum(odd for odd in odds if odd is not None) / len(members)


_Sum = list[int]
"""The sum of some links, the same with each at least ``SHORT_FLOOR``, and how many they are."""
