"""Which articles a new one is compared with besides those that the index names.

Two articles of one story may share no rare word, above all headlines. So the rest of the stories
that the index named most of is compared as well, a fair sample where they are large.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Final, TypeVar

from aggregator.matching.window import Window

Story = TypeVar("Story", bound=Hashable)
ENOUGH: Final = 24
"""Members of a story that an article is compared with; the rest of a larger one is left out."""
_LIKELY: Final = 3
_ENTRIES: Final = 1_000
"""Entries of articles that are compared so: some six long ones, or a hundred headlines."""


def completed(
    window: Window,
    named: Sequence[int],
    story: Callable[[int], Story],
    members: Callable[[Story], Sequence[int]],
) -> list[int]:
    """The slots to compare besides ``named``; ``members`` are without copies, oldest first."""
    found: dict[Story, int] = {}
    for slot in named:
        of = story(slot)
        found[of] = found.get(of, 0) + 1
    held = set(named)
    missing: list[int] = []
    entries = 0
    for of in sorted(found, key=lambda one: -found[one])[:_LIKELY]:
        rest = [slot for slot in members(of) if slot not in held]
        wanted = ENOUGH - found[of]
        if not rest or wanted <= 0:
            continue
        for slot in rest[:: -(-len(rest) // wanted)]:
            entries += window.length(slot)
            if entries > _ENTRIES:
                return missing
            missing.append(slot)
    return missing
