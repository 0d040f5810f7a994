"""An operator's word that two documents do or do not belong together."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Correction:
    """``a`` and ``b`` are ids of documents; the later word on a pair replaces the earlier."""

    a: int
    b: int
    together: bool


class Corrections:
    """What operators said, by document."""

    def __init__(self, said: Iterable[Correction] = ()) -> None:
        self._said: dict[int, dict[int, bool]] = {}
        self.add(said)

    def add(self, said: Iterable[Correction]) -> None:
        """Note more of them."""
        for one in said:
            if one.a != one.b:
                self._said.setdefault(one.a, {})[one.b] = one.together
                self._said.setdefault(one.b, {})[one.a] = one.together

    def about(self, document: int) -> dict[int, bool]:
        """Whether ``document`` belongs together with others, by their ids."""
        return self._said.get(document, {})
