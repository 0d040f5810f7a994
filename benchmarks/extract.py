"""How well and how fast article pages are read, against plain trafilatura.

    python benchmarks/extract.py                  # the table, the comparison, the steps
    python benchmarks/extract.py --workers        # pages a second with one worker and with two

Reads ``../shared/data/pages`` (240 pages of the WCXB benchmark, see the README there) and scores by
word-level F1 against ``main_content``, averaged over pages. Differences are paired by page; their
intervals are percentiles of 10,000 bootstrap samples of the pages. Times are CPU seconds of this
process, taken page by page for all readings in turn.
"""

import argparse
import gzip
import json
import logging
import random
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

import trafilatura

from feeds.page import extract, second_readings, walls
from feeds.page.blocks import blocks_of
from feeds.page.density import densest
from feeds.page.html_tree import decode, parse_page, strip_dead_weight
from feeds.page.second_readings import resiliparse_text, trafilatura_text
from feeds.page.vote import Heard, elect

DATA = Path(__file__).parents[2] / "shared" / "data" / "pages"
_AGREED = 0.9
WORD = re.compile(r"\w+")
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Page:
    """A page and what its main text is."""

    url: str
    html: bytes
    gold: str

    @classmethod
    def of(cls, row: dict[str, str], folder: Path) -> "Page":
        """The page of one line of ``gold.jsonl``."""
        packed = (folder / "html" / f"{row['id']}.html.gz").read_bytes()
        return cls(row["url"], gzip.decompress(packed), row["main_content"])


def load(folder: Path, limit: int | None) -> list[Page]:
    if not folder.exists():
        sys.exit(f"{folder} is not there: this benchmark needs the development data")
    rows = [json.loads(line) for line in (folder / "gold.jsonl").read_text("utf-8").splitlines()]
    return [Page.of(row, folder) for row in rows[:limit]]


def f1(text: str, gold: str) -> float:
    ours, theirs = (Counter(WORD.findall(part.lower())) for part in (text, gold))
    shared = sum((ours & theirs).values())
    if not shared:
        return float(not ours and not theirs)
    precision, recall = shared / ours.total(), shared / theirs.total()
    return 2 * precision * recall / (precision + recall)


Reader = Callable[[Page], str]


def plain(**options: bool) -> Reader:
    def read(page: Page) -> str:
        return trafilatura.extract(page.html, url=page.url, **options) or ""

    return read


def density_alone(page: Page) -> str:
    tree = parse_page(page.html)
    strip_dead_weight(tree)
    body = tree.find("body")
    root = tree if body is None else body
    return "\n".join(block.text for block in densest(blocks_of(root), root))


def resiliparse_alone(page: Page) -> str:
    return resiliparse_text(decode(page.html))


def always_three(page: Page) -> str:
    tree = parse_page(page.html)
    strip_dead_weight(tree)
    body = tree.find("body")
    root = tree if body is None else body
    blocks = blocks_of(root)
    careful = Heard(trafilatura_text(copy(tree), page.url))
    chosen = elect(blocks, densest(blocks, root), careful, Heard(resiliparse_alone(page)))
    return "\n".join(block.text for block in chosen)


def trafilatura_first(page: Page) -> str:
    """Trafilatura's text where resiliparse all but agrees; the vote of three where it does not."""
    text, other = plain(include_comments=False)(page), resiliparse_alone(page)
    return text if f1(text, other) >= _AGREED else always_three(page)


def density_agrees(page: Page) -> str:
    """The same with the density reading as the second."""
    text, other = plain(include_comments=False)(page), density_alone(page)
    return text if f1(text, other) >= _AGREED else always_three(page)


def readability(page: Page) -> str:
    from readability import Document  # noqa: PLC0415 - not a dependency: a row of the table only

    return trafilatura.html2txt(Document(decode(page.html)).summary())


def medoid(page: Page) -> str:
    readings = [plain(include_comments=False)(page), resiliparse_alone(page), readability(page)]
    return max(readings, key=lambda one: sum(f1(one, other) for other in readings))


def newsfold(page: Page) -> str:
    return extract.read_page(page.html, page.url).text


def newsfold_matching(page: Page) -> str:
    return extract.read_page(page.html, page.url).matching_text


PLAIN: dict[str, Reader] = {
    "trafilatura": plain(),
    "trafilatura, no comments": plain(include_comments=False),
    "trafilatura, recall": plain(include_comments=False, favor_recall=True),
    "trafilatura, fast": plain(include_comments=False, fast=True),
    "trafilatura, precision": plain(include_comments=False, favor_precision=True),
    "trafilatura, fast, precision": plain(include_comments=False, fast=True, favor_precision=True),
}
READERS: dict[str, Reader] = {
    **PLAIN,
    "trafilatura, no comments, metadata": plain(include_comments=False, with_metadata=True),
    "resiliparse": resiliparse_alone,
    "readability-lxml": readability,
    "medoid of the three": medoid,
    "trafilatura, vote if resiliparse differs": trafilatura_first,
    "trafilatura, vote if density differs": density_agrees,
    "density": density_alone,
    "vote of three, always": always_three,
    "newsfold": newsfold,
    "newsfold, matching text": newsfold_matching,
}


@dataclass(frozen=True)
class Row:
    """How one reading did on every page."""

    name: str
    scores: list[float]
    seconds: float

    @property
    def mean(self) -> float:
        """The mean F1."""
        return statistics.fmean(self.scores)


def measure(pages: Sequence[Page]) -> list[Row]:
    """Every reading of every page, page by page, so that a busy moment disturbs all alike."""
    readers = {name: read for name, read in READERS.items() if works(name, read, pages[0])}
    scores: dict[str, list[float]] = {name: [] for name in readers}
    seconds: Counter[str] = Counter()
    for page in pages:
        for name, read in readers.items():
            start = time.process_time()
            text = read(page)
            seconds[name] += time.process_time() - start
            scores[name].append(f1(text, page.gold))
    return [Row(name, scores[name], seconds[name]) for name in readers]


def works(name: str, read: Reader, page: Page) -> bool:
    try:
        read(page)
    except ImportError as error:
        print(f"{name} is left out: {error}")
        return False
    return True


def interval(differences: Sequence[float], samples: int = 10_000) -> tuple[float, float]:
    chance = random.Random(1)
    means = sorted(
        statistics.fmean(chance.choices(differences, k=len(differences))) for _ in range(samples)
    )
    return means[int(0.025 * samples)], means[int(0.975 * samples)]


def table(pages: Sequence[Page]) -> None:
    print(f"{len(pages)} pages\n{'reading':41} {'F1':>7} {'pages/s':>8} {'ms/page':>8}")
    rows = measure(pages)
    for row in rows:
        rate = len(pages) / row.seconds
        print(f"{row.name:41} {row.mean:7.4f} {rate:8.1f} {1000 / rate:8.1f}")
    ours = next(row for row in rows if row.name == "newsfold")
    rivals = [row for row in rows if row.name in PLAIN]
    best = max(rivals, key=lambda row: row.mean)
    print(f"\nPlain trafilatura's best here: {best.name}")
    for row in rows:
        if not row.name.startswith("newsfold"):
            compare(ours, row)


def compare(ours: Row, best: Row) -> None:
    differences = [one - other for one, other in zip(ours.scores, best.scores, strict=True)]
    low, high = interval(differences)
    better, worse = sum(d > 0.005 for d in differences), sum(d < -0.005 for d in differences)
    print(
        f"{ours.name} against {best.name}: {statistics.fmean(differences):+.4f}"
        f" [{low:+.4f}, {high:+.4f}], better on {better} pages, worse on {worse};"
        f" {ours.seconds / best.seconds:.2f} times its CPU"
    )


STEPS = {
    extract: (
        "parse_page", "metadata_of", "strip_dead_weight", "blocks_of", "densest", "settled",
        "elect", "shown", "with_pictures", "bound", "matching_lines", "wire_evidence",
        "printed_authors", "tostring",
    ),
    second_readings: ("resiliparse_text", "trafilatura_text", "guessed_date", "language_of"),
    walls: ("signs_of", "wall_of"),
}  # fmt: skip


def steps(pages: Sequence[Page]) -> None:
    spent: Counter[str] = Counter()
    with timed(spent):
        start = time.process_time()
        how = Counter(extract.read_page(page.html, page.url).reasons[0] for page in pages)
        total = time.process_time() - start
    print(f"\n{'step':22} {'ms/page':>8} {'share':>6}")
    for name, seconds in [*spent.most_common(), ("the rest", total - spent.total())]:
        print(f"{name:22} {1000 * seconds / len(pages):8.2f} {seconds / total:6.1%}")
    print(*(f"{count} x {reason}" for reason, count in how.most_common()), sep="; ")


@contextmanager
def timed(spent: Counter[str]) -> Iterator[None]:
    """Every step replaced by itself with a stop-watch, for as long as it takes."""
    kept = [
        (module, name, getattr(module, name)) for module, names in STEPS.items() for name in names
    ]
    for module, name, step in kept:
        setattr(module, name, watched(name, step, spent))
    try:
        yield
    finally:
        for module, name, step in kept:
            setattr(module, name, step)


def watched(name: str, step: Callable[P, T], spent: Counter[str]) -> Callable[P, T]:
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        start = time.process_time()
        try:
            return step(*args, **kwargs)
        finally:
            spent[name] += time.process_time() - start

    return run


def seconds_of(page: Page) -> float:
    """CPU seconds that a page takes in this process."""
    start = time.process_time()
    newsfold(page)
    return time.process_time() - start


def workers(pages: Sequence[Page]) -> None:
    """One worker against two: by the clock, and by CPU, which a busy machine disturbs less."""
    rates, spent = {}, {}
    for number in (1, 2):
        with ProcessPoolExecutor(number) as pool:
            list(pool.map(newsfold, pages[: 8 * number], chunksize=4))
            start = time.perf_counter()
            spent[number] = sum(pool.map(seconds_of, pages, chunksize=8))
            rates[number] = len(pages) / (time.perf_counter() - start)
        print(
            f"{number} worker(s): {rates[number]:.1f} pages/s,"
            f" {len(pages) / spent[number]:.1f} per CPU second"
        )
    print(f"two workers are {rates[2] / rates[1]:.2f} times one by the clock,")
    print(f"and {2 * spent[1] / spent[2]:.2f} times by CPU, had each a core to itself")


def main() -> None:
    parser = argparse.ArgumentParser(description="How well and how fast article pages are read.")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--pages", type=int, help="only the first so many")
    parser.add_argument("--workers", action="store_true", help="measure one worker against two")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    pages = load(arguments.data, arguments.pages)
    if arguments.workers:
        workers(pages)
    else:
        table(pages)
        steps(pages)


if __name__ == "__main__":
    main()
