"""Why an article stands where it stands, as values and in words."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


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
    (0 to 1) that the story's event is the article's, for a copy the share of the shorter text's
    shingles that the longer has. ``parts`` is what spoke for it, in words.
    """

    kind: Kind = Kind.FIRST
    partner: int | None = None
    score: float = 0.0
    needed: float = 0.0
    parts: tuple[str, ...] = ()

    def words(self, name: Callable[[int], str] = str) -> str:
        """The reason as a sentence; ``name`` says how an article's id is shown."""
        partner = "" if self.partner is None else name(self.partner)
        match self.kind:
            case Kind.FIRST:
                return "; ".join(["the first of its story", *self.parts])
            case Kind.COPY:
                return "; ".join([f"same text as {partner}, {percent(self.score)}", *self.parts])
            case Kind.OPERATOR:
                return "; ".join([f"an operator's word {partner}".strip(), *self.parts])
            case Kind.EVENT:
                measure = f"needed {self.needed:.2f}, had {self.score:.2f}"
                return "; ".join([f"the same event as {partner}", *self.parts, measure])

    def __str__(self) -> str:
        return self.words()


def recorded_reason(recorded: Mapping[str, Any]) -> Reason:
    """The reason that was stored as a mapping of its fields; ``FIRST`` if nothing was."""
    values = {**asdict(Reason()), **recorded}
    return Reason(**{**values, "kind": Kind(values["kind"]), "parts": tuple(values["parts"])})


def percent(share: float) -> str:
    """A share in words; 100 % only for the whole."""
    return f"{math.floor(share * 100)} %"


def probability(thousandths: float) -> float:
    """The probability that log-odds in thousandths stand for."""
    return 1 / (1 + math.exp(-max(min(thousandths / 1000, 50.0), -50.0)))


def apart(days: float) -> str:
    """A time between two articles in words."""
    if days < 1 / 24:
        return "within the hour"
    if days < 2:
        hours = round(days * 24)
        return f"{hours} hour{'' if hours == 1 else 's'} apart"
    return f"{days:.0f} days apart"


def in_words(cosines: Mapping[str, float], names: Sequence[str], distance: str) -> tuple[str, ...]:
    """The parts of a score: names in common, similarities that are not nothing, time apart."""
    named = (f"names in common: {', '.join(names)}",) if names else ()
    similar = tuple(f"{name} {value:.2f}" for name, value in cosines.items() if value >= 0.005)
    return (*named, *similar, distance)


def why_not(score: float, needed: float, articles: int, home: float | None) -> str:
    """Why a story of so many articles was not chosen; ``home`` is the score of the one that was."""
    over = "" if articles == 1 else f" on average over its {articles} articles"
    had = f"needed {needed:.2f}, had {score:.2f}{over}"
    if score <= needed:
        return had
    if home is not None and home >= score:
        return f"{had}, less than the {home:.2f} where it stands"
    return f"{had}, but that was seen when the article had long been settled"
