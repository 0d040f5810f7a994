"""Which articles stand together, given the log-odds of pairs: average link, as articles come.

An article joins the story with the highest *average* log-odds over its members, if that is above
the threshold, or founds one. A pair that was not compared, or compared badly, counts as ``FLOOR``.
Second looks then repeat the question for what the new article has changed: whether two young
stories are one, and whether a young article belongs elsewhere. Copies follow their original and
have no voice of their own.

All log-odds are integers, in thousandths, so that sums do not depend on the order of adding and a
state rebuilt from storage is exactly the state that was lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass

FLOOR = -2_000
"""What a pair counts that was not compared, or is less likely than this."""
MUST, CANNOT = 10**12, -(10**12)
"""An operator's word as log-odds: outweighs everything in any average."""
_LARGE = 4_000
"""Links that are read to weigh two stories against each other; larger ones are left alone."""
_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Rules:
    """Thresholds in thousandths of log-odds; times in days."""

    join: int = 0
    merge: int = 0
    move: int = 500
    young: float = 3.0


class Stories:
    """Articles by slot, their stories by key, and the links between articles."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._story: dict[int, int] = {}
        self._members: dict[int, dict[int, None]] = {}
        self._links: dict[int, dict[int, int]] = {}
        self._arrived: dict[int, float] = {}
        self._original: dict[int, int] = {}
        self._copies: dict[int, list[int]] = {}

    def __contains__(self, slot: int) -> bool:
        return slot in self._story

    def story(self, slot: int) -> int:
        """The key of the story that an article belongs to."""
        return self._story[slot]

    def original(self, slot: int) -> int:
        """The article that ``slot`` is a copy of, or itself."""
        return self._original.get(slot, slot)

    def members(self, story: int) -> tuple[int, ...]:
        """A story's articles in the window without copies, oldest first."""
        return tuple(sorted(self._members.get(story, ())))

    def size(self, story: int) -> int:
        """How many articles a story has in the window, copies not counted."""
        return len(self._members.get(story, ()))

    def links(self, slot: int) -> dict[int, int]:
        """Log-odds above the floor, and operators' words, by the other article's slot."""
        return self._links.get(slot, {})

    def link(self, a: int, b: int, log_odds: int) -> None:
        """Remember how likely two articles tell one event; an operator's word stands."""
        if abs(self._links.get(a, {}).get(b, 0)) >= MUST and abs(log_odds) < MUST:
            return
        self._links.setdefault(a, {})[b] = log_odds
        self._links.setdefault(b, {})[a] = log_odds

    def put(self, slot: int, story: int, arrived: float, original: int | None = None) -> None:
        """Place an article without deciding."""
        self._arrived[slot] = arrived
        self._story[slot] = story
        if original is None:
            self._members.setdefault(story, {})[slot] = None
        else:
            self._original[slot] = original
            self._copies.setdefault(original, []).append(slot)

    def drop(self, slot: int) -> None:
        """Forget the oldest article and its links; its first copy stands for it from now on."""
        story = self._story.pop(slot)
        self._leave(slot, story)
        del self._arrived[slot]
        for other in self._links.pop(slot, ()):
            links = self._links[other]
            del links[slot]
            if not links:
                del self._links[other]
        heir, *rest = self._copies.pop(slot, ()) or (None,)
        if heir is not None:
            del self._original[heir]
            self._members.setdefault(story, {})[heir] = None
            if rest:
                self._copies[heir] = rest
                self._original.update(dict.fromkeys(rest, heir))

    def averages(self, slot: int) -> dict[int, float]:
        """The average log-odds of an article with each story it has links to (itself left out)."""
        sums: dict[int, int] = {}
        counts: dict[int, int] = {}
        for other, log_odds in self.links(slot).items():
            story = self._story.get(other)
            if story is not None and other not in self._original:
                sums[story] = sums.get(story, 0) + log_odds
                counts[story] = counts.get(story, 0) + 1
        home = self._story.get(slot)
        return {
            story: (sums[story] + FLOOR * (size - counts[story])) / size
            for story in sums
            if (size := len(self._members[story]) - (story == home))
        }

    def best(self, slot: int) -> tuple[int, float] | None:
        """The story an article without one should join, and its average log-odds."""
        found = max(self.averages(slot).items(), key=lambda s: (s[1], -s[0]), default=None)
        return found if found and found[1] > self.rules.join else None

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
        for other in sorted(self.links(slot)):
            if (
                other not in self._original
                and other in self._story
                and now - self._arrived[other] <= self.rules.young
            ):
                target = self._better(other)
                if target is not None:
                    yield from self.move(other, target)

    def move(self, slot: int, story: int) -> Iterator[tuple[int, int]]:
        """Take an original and its copies into another story; yields each with its new story."""
        self._leave(slot, self._story[slot])
        self._members.setdefault(story, {})[slot] = None
        for one in (slot, *self._copies.get(slot, ())):
            self._story[one] = story
            yield one, story

    def _leave(self, slot: int, story: int) -> None:
        members = self._members[story]
        del members[slot]
        if not members:
            del self._members[story]

    def _better(self, slot: int) -> int | None:
        """The story a young article should move to, if any is better than where it is."""
        home = self._story[slot]
        averages = self.averages(slot)
        alone = len(self._members[home]) == 1
        stay = self.rules.join if alone else averages.get(home, FLOOR) + self.rules.move
        target = max(
            ((average, -story) for story, average in averages.items() if story != home),
            default=None,
        )
        if target is None or target[0] <= max(stay, self.rules.join):
            return None
        return -target[1]

    def _merge_candidate(self, slot: int, now: float) -> tuple[int, int] | None:
        """The likeliest story to be one with ``slot``'s, as (the one that stays, the other)."""
        home = self._story[slot]
        best: tuple[float, int] | None = None
        for story in sorted({self._story[o] for o in self.links(slot) if o in self._story}):
            if story == home or not (self._young(story, now) or self._young(home, now)):
                continue
            average = self._between(home, story)
            if average > self.rules.merge and (best is None or average > best[0]):
                best = average, story
        if best is None:
            return None
        kept, retired = sorted((home, best[1]), key=lambda s: (min(self._members[s]), s))
        return kept, retired

    def _young(self, story: int, now: float) -> bool:
        return now - self._arrived[min(self._members[story])] <= self.rules.young

    def _between(self, one: int, other: int) -> float:
        """The average log-odds of the pairs that join two stories."""
        small, large = sorted((self._members[one], self._members[other]), key=len)
        read = total = count = 0
        for member in small:
            links = self.links(member)
            read += len(links)
            if read > _LARGE:
                return float(FLOOR)
            for slot, log_odds in links.items():
                if slot in large:
                    total += log_odds
                    count += 1
        pairs = len(small) * len(large)
        return (total + FLOOR * (pairs - count)) / pairs
