"""How good the matcher is on articles it was not trained on.

Clusters are dealt into parts by a hash of their label. For each part a model is trained on the
other parts alone; then every whole file is folded (so that it is as crowded as it is), and only the
held-out articles are scored: B-cubed over them, pairs with at least one of them. With
``--leave-out-files`` each file is instead folded with a model that never saw any of it.

    python benchmarks/crossvalidate.py FILE.jsonl.gz ...
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np

from aggregator.matching.fold import fold
from aggregator.matching.jsonl import Row, read_rows
from aggregator.matching.model import Model
from aggregator.matching.train import VARIANTS, Examples, count_background, fit, gather


def part(row: Row, parts: int) -> int:
    return crc32((row.cluster or row.id).encode()) % parts


def without(examples: Examples, held: np.ndarray) -> Examples:
    """The examples that touch no held-out article."""
    kept = ~(held[examples.later] | held[examples.earlier])
    weights = examples.weights[kept]
    return replace(
        examples,
        later=examples.later[kept],
        earlier=examples.earlier[kept],
        features=examples.features[kept],
        same=examples.same[kept],
        weights=weights / weights.sum(),
    )


def f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def scores(
    true: Sequence[object], found: Sequence[object], held: np.ndarray
) -> tuple[float, float]:
    """B-cubed F1 over the held-out articles and pairwise F1 over pairs that touch one."""
    both = list(zip(true, found, strict=True))
    cells, labels, stories = Counter(both), Counter(true), Counter(found)
    mine = [pair for pair, out in zip(both, held, strict=True) if out]
    precision = float(np.mean([cells[pair] / stories[pair[1]] for pair in mine]))
    recall = float(np.mean([cells[pair] / labels[pair[0]] for pair in mine]))
    rest = [pair for pair, out in zip(both, held, strict=True) if not out]

    def pairs(whole: Counter, others: Counter) -> int:
        return sum(n * (n - 1) // 2 for n in whole.values()) - sum(
            n * (n - 1) // 2 for n in others.values()
        )

    together = pairs(cells, Counter(rest))
    said = pairs(stories, Counter(story for _, story in rest))
    real = pairs(labels, Counter(label for label, _ in rest))
    return f1(precision, recall), f1(together / max(said, 1), together / max(real, 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--parts", type=int, default=3)
    parser.add_argument("--leave-out-files", action="store_true")
    arguments = parser.parse_args()
    files = {path.name: read_rows(path)[0] for path in arguments.files}
    background = count_background(row.document for rows in files.values() for row in rows)
    examples = {
        name: [gather([variant(row) for row in rows], background) for variant in VARIANTS.values()]
        for name, rows in files.items()
    }
    rounds = list(files) if arguments.leave_out_files else range(arguments.parts)
    found: dict[str, list[tuple[float, float]]] = {}
    for one in rounds:
        held = {
            name: np.array([one in {name, part(row, arguments.parts)} for row in rows])
            for name, rows in files.items()
        }
        left = [
            without(e, held[n]) for n, some in examples.items() for e in some if not held[n].all()
        ]
        model = Model(fit(left), background=background)
        for name, rows in files.items():
            if held[name].any() and not (arguments.leave_out_files and name != one):
                stories = [line.story for line in fold(rows, model)]
                labels = [row.cluster for row in rows]
                found.setdefault(name, []).append(scores(labels, stories, held[name]))
    means = np.array([np.mean(values, axis=0) for values in found.values()]) * 100
    for name, (bcubed, pairwise) in zip(found, means, strict=True):
        print(f"{name:28} B-cubed F1 {bcubed:5.1f}  pairwise F1 {pairwise:5.1f}")
    print(
        f"{'macro':28} B-cubed F1 {means[:, 0].mean():5.1f}  pairwise F1 {means[:, 1].mean():5.1f}"
    )


if __name__ == "__main__":
    main()
