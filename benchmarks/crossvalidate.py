"""How good the matcher is on files of a kind that it was not trained on.

``newsfold train`` measures on clusters held out of each file. This leaves out whole files: each is
folded with a model that never saw any of its rows, which is the harder question.

    python benchmarks/crossvalidate.py FILE.jsonl.gz ...
"""

import argparse
from pathlib import Path
from statistics import fmean

from aggregator.matching.jsonl import read_rows
from aggregator.matching.train import made_of, on_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    arguments = parser.parse_args()
    files = {path.name: read_rows(path)[0] for path in arguments.files}
    found = []
    for name, rows in files.items():
        others = {other: some for other, some in files.items() if other != name}
        bcubed, pairwise = on_rows({name: rows}, made_of(others))[name]
        found.append((bcubed, pairwise))
        print(f"{name:28} B-cubed F1 {bcubed:5.1f}  pairwise F1 {pairwise:5.1f}", flush=True)
    bcubed, pairwise = (fmean(column) for column in zip(*found, strict=True))
    print(f"{'macro':28} B-cubed F1 {bcubed:5.1f}  pairwise F1 {pairwise:5.1f}")


if __name__ == "__main__":
    main()
