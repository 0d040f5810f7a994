"""Labelled articles as examples of pairs: what the network learns from.

Each file is streamed as the matcher would meet it, whole, shortened to a feed's summary and as
headlines alone, each with a background that knows the file and with one that does not; and in short
streams, as in a matcher's first days. Every pair that the index proposes is an example, labelled by
whether both have one cluster.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from zlib import crc32

import numpy as np
import numpy.typing as npt

from aggregator.matching.background import Background
from aggregator.matching.completing import completed
from aggregator.matching.document import Document
from aggregator.matching.fingerprint import Fingerprinter, Packed
from aggregator.matching.jsonl import Row
from aggregator.matching.pairs import FEATURES, Comparer
from aggregator.matching.window import Window

Floats = npt.NDArray[np.float32]
Progress = Callable[[str], None]

SUMMARY = 250
"""Characters of text in the shortened variant."""
HEADLINE = 100
"""Characters that stand for a missing title in the headline variant."""
YOUNG = 120
"""Articles in a stream that has just begun."""
_OF_A_CLUSTER = 4
_WHOLE, _SHORTER, _YOUNG = 1.0, 0.5, 1.0
"""What the examples of a variant weigh together; and all the young streams of a file."""


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Pairs of one stream: features, labels and weights."""

    features: npt.NDArray[np.float32]
    same: npt.NDArray[np.bool_]
    weights: Floats


def gather_all(
    files: Mapping[str, Sequence[Row]], background: Background, progress: Progress
) -> list[Examples]:
    """The examples of all files."""
    found: list[Examples] = []
    terms = {name: terms_of(row.document for row in rows) for name, rows in files.items()}
    for name, rows in files.items():
        # Unread material brings names that no background has counted.
        others = (some for other, some in terms.items() if other != name)
        strange = Background.count(chain.from_iterable(others))
        everything = range(len(rows))
        seen: list[list[Row]] = []
        for kind, (shorten, weight) in VARIANTS.items():
            varied = [replace(row, document=shorten(row.document)) for row in rows]
            if varied not in seen:
                progress(f"{name}: {kind}")
                seen.append(varied)
                found += [gather(varied, everything, b, weight) for b in (background, strange)]
        progress(f"{name}: young streams")
        streams = young_streams(rows)
        found += [gather(rows, places, strange, _YOUNG / len(streams)) for places in streams]
    return found


def young_streams(rows: Sequence[Row]) -> list[list[int]]:
    """The rows' positions in streams of some ``YOUNG``, order kept, a few of a cluster in each.

    What a matcher meets in its first days: few articles, no large stories yet, little known of how
    common a name is. What is left of the largest clusters is in none.
    """
    count = max(len(rows) // YOUNG, 1)
    streams: list[list[int]] = [[] for _ in range(count)]
    met: Counter[str] = Counter()
    for at, row in enumerate(rows):
        label = row.cluster or row.id
        turn = met[label] // _OF_A_CLUSTER
        met[label] += 1
        if turn < count:
            streams[(crc32(label.encode()) + turn) % count].append(at)
    return [stream for stream in streams if len(stream) > 1]


def count_background(documents: Iterable[Document]) -> Background:
    """How common terms are in these documents."""
    return Background.count(terms_of(documents))


def terms_of(documents: Iterable[Document]) -> list[tuple[str, Packed]]:
    """The language and the distinct terms of each document."""
    made = Fingerprinter(Background()).make_all(list(documents))
    return [(one.language, one.packed >> np.uint32(8)) for one in made]


def gather(
    rows: Sequence[Row], places: Sequence[int], background: Background, weight: float = 1.0
) -> Examples:
    """The pairs that are compared as the rows at ``places`` stream by, with their labels.

    Pairs that only complete a story are none: hardly alike and yet mostly of one event, they would
    teach that nothing in common says nothing. The weights of all sum to ``weight``.
    """
    window, maker, comparer = Window(background), Fingerprinter(background), Comparer()
    labels = [rows[place].cluster or f"?{place}" for place in places]
    members: dict[str, list[int]] = {}
    later: list[int] = []
    earlier: list[int] = []
    features = [np.zeros((0, len(FEATURES)), dtype=np.float32)]
    for number, made in enumerate(maker.make_all([rows[place].document for place in places])):
        named = window.candidates(made)
        cosines: list[float] = []
        # Of these only the best cosines are kept, as the matcher keeps them.
        found = named + completed(window, named, labels.__getitem__, members.__getitem__)
        if found:
            compared = comparer.compare(window, made, found, len(named))
            later += [number] * len(named)
            earlier += named
            features.append(compared[: len(named)])
            cosines = (np.rint(compared[:, 0] * 1000) / 1000).tolist()
        members.setdefault(labels[number], []).append(number)
        window.remember(window.add(made), found, cosines)
    clusters = np.array(labels)
    i, j = np.array(later, dtype=np.int64), np.array(earlier, dtype=np.int64)
    # An article with many candidates must not outweigh the rest.
    weights = 1 / np.sqrt(np.bincount(i, minlength=len(places))[i])
    weights *= weight / max(weights.sum(), 1e-9)
    return Examples(
        np.concatenate(features),
        clusters[i] == clusters[j],
        weights.astype(np.float32),
    )


def _whole(document: Document) -> Document:
    return document


def _summary(document: Document) -> Document:
    return replace(document, text=document.text[:SUMMARY])


def _headline(document: Document) -> Document:
    return replace(document, title=document.title or document.text[:HEADLINE], text="")


VARIANTS: dict[str, tuple[Callable[[Document], Document], float]] = {
    "whole": (_whole, _WHOLE),
    "summary": (_summary, _SHORTER),
    "headline": (_headline, _SHORTER),
}
