"""How fast and how small the matcher is, beside MinHash LSH and a TF-IDF nearest-neighbour search.

Synthetic articles of 220 words from a Zipf vocabulary, with planted events: half of the articles
tell one of the last two hundred events again, sharing half of its words, its names and its number.
Each system first takes in a window of so many articles (Newsfold by ``restore``, which indexes
without deciding), then is timed on the next ones: Newsfold decides and keeps, datasketch queries
and inserts, scikit-learn's brute-force search only finds, for it cannot add. Times are CPU time of
one process; bytes are what its memory grew by for each article of the window's second half, so that
what is held once does not count (of the whole window for TF-IDF, which takes it in at once).
*Found* is the share
of timed articles whose earlier coverage in the window was found: for Newsfold by standing in its
story, for the others by being among what was returned (ten nearest for TF-IDF).

    pip install --constraint constraints.txt --group bench
    python benchmarks/fold.py --sizes 10000 100000 1000000

Every size and system is a process of its own, so that one can be measured alone and another later:
``--sizes 1000000 --systems newsfold``. A million articles take some six minutes of processor time
and 3 GB and, for the rivals, more than many a machine has; they are left out above ``--rivals``
articles.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aggregator.matching.decisions import Decision, Evidence
from aggregator.matching.document import Document
from aggregator.matching.matcher import Limits, Matcher
from aggregator.matching.model import Model

VOCABULARY = 60_000
NAMES = 40_000
WORDS = 220
PENDING = 200
PROBES = 1_000
SLOW_PROBES = 100
"""For the search that reads the whole window each time."""
RECENT = 500
"""Articles among which those of one event are known to have been compared."""
CHUNK = 500
START = datetime(2026, 1, 1, tzinfo=UTC)


class Planted(NamedTuple):
    """An article, and the event it tells."""

    document: Document
    event: int


class Filled(NamedTuple):
    """Articles per CPU second taken in, and bytes for each."""

    speed: float
    size: float


class Measured(NamedTuple):
    """Articles per CPU second taken in and answered, bytes per article, share found."""

    filled: float
    answered: float
    size: float
    found: float


def articles(count: int, seed: int = 0) -> Iterator[Planted]:
    """Planted events, scattered over the stream."""
    random = np.random.default_rng(seed)
    vocabulary = np.array(
        [f"{chr(97 + i % 26)}{np.base_repr(i, 36).lower()}" for i in range(VOCABULARY)]
    )
    ranks = 1 / np.arange(1, VOCABULARY + 1)
    cumulative = np.cumsum(ranks / ranks.sum())
    pending: list[tuple[int, np.ndarray, list[str]]] = []
    for number in range(count):
        if pending and random.random() < 0.5:
            event, core, names = pending[int(random.integers(len(pending)))]
        else:
            core = np.searchsorted(cumulative, random.random(WORDS // 2))
            names = [f"N{np.base_repr(int(n), 36).lower()}" for n in random.integers(0, NAMES, 4)]
            event = number
            pending = [*pending[-PENDING + 1 :], (event, core, names)]
        own = np.searchsorted(cumulative, random.random(WORDS - len(core)))
        words = vocabulary[np.minimum(np.concatenate((core, own)), VOCABULARY - 1)].tolist()
        title = " ".join([*names[:2], *words[:6]])
        text = " ".join([*words[:40], *names, str(10 + event % 80), *words[40:]])
        time_ = START + timedelta(seconds=30 * number)
        yield Planted(
            Document(number, title, text, None, f"p{number % 200}", time_, time_, "en"), event
        )


def in_chunks(stream: Iterator[Planted], count: int) -> Iterator[list[Planted]]:
    """So many articles, made before the clock runs."""
    for start in range(0, count, CHUNK):
        yield list(islice(stream, min(CHUNK, count - start)))


def timed(
    chunks: Iterator[list[Planted]],
    work: Callable[[Planted], object],
    prepare: Callable[[list[Planted]], object] = len,
) -> float:
    """The CPU seconds that ``work`` takes over all articles, and ``prepare`` over all chunks."""
    taken = 0.0
    for chunk in chunks:
        started = time.process_time()
        prepare(chunk)
        for one in chunk:
            work(one)
        taken += time.process_time() - started
    return taken


def held() -> int:
    """Bytes of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Events:
    """Which event each article tells, and how often a known one was found again."""

    def __init__(self, size: int) -> None:
        self.of = np.full(size, -1, dtype=np.int32)
        self.known = np.zeros(size, dtype=np.bool_)
        self.recent: deque[Planted] = deque(maxlen=RECENT)
        self.asked = self.right = 0

    def note(self, one: Planted) -> None:
        """Say that an article is in the window."""
        self.of[one.document.id] = one.event
        self.known[one.event] = True
        self.recent.append(one)

    def members(self, one: Planted) -> list[int]:
        """The recent articles that tell the same event as ``one``."""
        return [other.document.id for other in self.recent if other.event == one.event]

    def answer(self, one: Planted, found: Iterable[int]) -> None:
        """Count whether one of the articles found tells the same event."""
        if self.known[one.event]:
            self.asked += 1
            self.right += any(self.of[number] == one.event for number in found)

    @property
    def share(self) -> float:
        """Of the articles whose event was known, how many were put to it."""
        return self.right / max(self.asked, 1)


def filled(
    size: int,
    stream: Iterator[Planted],
    work: Callable[[Planted], object],
    prepare: Callable[[list[Planted]], object] = len,
) -> Filled:
    """Take in a window; memory is read half-way and at the end, what is held once left aside."""
    half = size // 2
    seconds = timed(in_chunks(stream, half), work, prepare)
    before = held()
    seconds += timed(in_chunks(stream, size - half), work, prepare)
    return Filled(size / seconds, (held() - before) / (size - half))


def newsfold(size: int) -> Measured:
    model = Model.load()
    stream, events = articles(size + PROBES), Events(size + PROBES)
    matcher = Matcher(model, Limits(documents=size + PROBES))

    def fill(one: Planted) -> None:
        # Told as the folder would have recorded them: an event is one story.
        alike = tuple(Evidence(number, 3_000, 400) for number in events.members(one))
        events.note(one)
        matcher.restore(one.document, Decision(one.document.id, one.event, evidence=alike))

    def prepare(chunk: list[Planted]) -> None:
        matcher.prepare([one.document for one in chunk])

    speed, grown = filled(size, stream, fill, prepare)

    def add(one: Planted) -> None:
        decision = matcher.add(one.document).decision
        events.answer(one, [decision.story] if decision.story != one.document.id else [])
        events.note(one)

    answered = PROBES / timed(in_chunks(stream, PROBES), add, prepare)
    return Measured(speed, answered, grown, events.share)


def minhash(size: int) -> Measured:
    from datasketch import MinHash, MinHashLSH  # noqa: PLC0415 - only where it is measured

    stream, events = articles(size + PROBES), Events(size + PROBES)
    index = MinHashLSH(threshold=0.5, num_perm=64)

    def sketch(document: Document) -> MinHash:
        made = MinHash(num_perm=64)
        words = document.text.split()
        made.update_batch([" ".join(words[i : i + 3]).encode() for i in range(len(words) - 2)])
        return made

    def fill(one: Planted) -> None:
        events.note(one)
        index.insert(one.document.id, sketch(one.document))

    speed, grown = filled(size, stream, fill)

    def add(one: Planted) -> None:
        made = sketch(one.document)
        events.answer(one, index.query(made))
        index.insert(one.document.id, made)
        events.note(one)

    answered = PROBES / timed(in_chunks(stream, PROBES), add)
    return Measured(speed, answered, grown, events.share)


def tfidf(size: int) -> Measured:
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - as above
    from sklearn.neighbors import NearestNeighbors  # noqa: PLC0415 - as above

    stream, events = articles(size + SLOW_PROBES), Events(size + SLOW_PROBES)
    before = held()

    def texts() -> Iterator[str]:
        for one in islice(stream, size):
            events.note(one)
            yield one.document.text

    started = time.process_time()  # the making of articles among it: it cannot be fed in chunks
    vectorizer = TfidfVectorizer()
    search = NearestNeighbors(n_neighbors=10, metric="cosine", algorithm="brute")
    search.fit(vectorizer.fit_transform(texts()))
    filling = time.process_time() - started
    grown = held() - before

    def find(one: Planted) -> None:
        _, nearest = search.kneighbors(vectorizer.transform([one.document.text]))
        events.answer(one, nearest[0].tolist())

    return Measured(
        size / filling,
        SLOW_PROBES / timed(in_chunks(stream, SLOW_PROBES), find),
        grown / size,
        events.share,
    )


SYSTEMS = {"newsfold": newsfold, "minhash": minhash, "tfidf": tfidf}
NAMES_OF = {"newsfold": "newsfold", "minhash": "MinHash LSH", "tfidf": "TF-IDF search"}


def in_its_own_process(system: str, size: int) -> Measured:
    words = [sys.executable, __file__, "--sizes", str(size), "--systems", system, "--here"]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    return Measured(*json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=[*SYSTEMS])
    parser.add_argument("--rivals", type=int, default=100_000, help="largest size for the rivals")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(SYSTEMS[arguments.systems[0]](arguments.sizes[0])))
        return
    print(f"{'':<14}{'window':>10}{'fill /s':>10}{'add /s':>10}{'bytes each':>12}{'found':>8}")
    for size in arguments.sizes:
        for system in arguments.systems:
            if system == "newsfold" or size <= arguments.rivals:
                m = in_its_own_process(system, size)
                print(
                    f"{NAMES_OF[system]:<14}{size:>10,}{m.filled:>10,.0f}{m.answered:>10,.0f}"
                    f"{m.size:>12,.0f}{m.found:>8.0%}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
