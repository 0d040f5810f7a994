"""How fast and how small the matcher is, against MinHash LSH and a TF-IDF nearest-neighbour search.

Synthetic articles: words from a Zipf vocabulary, planted events of one to six articles that share
names, a number and part of their words. The window is first filled by ``restore`` (which indexes
without deciding), then the speed of ``add`` is measured at each size.

    python benchmarks/fold.py --sizes 10000 100000 1000000

Speeds are per second of CPU time, which a busy machine stretches less than the clock. Start it with
``OPENBLAS_NUM_THREADS=1``. Rivals (test dependencies) are measured at the same sizes.
"""

import argparse
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import numpy as np

from aggregator.matching.decisions import Decision
from aggregator.matching.document import Document
from aggregator.matching.fold import TOGETHER
from aggregator.matching.matcher import Limits, Matcher
from aggregator.matching.model import Model

VOCABULARY = 60_000
NAMES = 40_000
WORDS = 220
PROBE = 2_000
MEMORY_SAMPLE = 4_096
"""A power of two, where the window's columns have just grown."""
START = datetime(2026, 1, 1, tzinfo=UTC)


def articles(count: int, seed: int = 0) -> Iterator[Document]:
    """Planted events, scattered over the stream."""
    random = np.random.default_rng(seed)
    vocabulary = np.array(
        [f"{chr(97 + i % 26)}{np.base_repr(i, 36).lower()}" for i in range(VOCABULARY)]
    )
    ranks = 1 / np.arange(1, VOCABULARY + 1)
    cumulative = np.cumsum(ranks / ranks.sum())
    pending: list[tuple[np.ndarray, list[str]]] = []
    for number in range(count):
        if pending and random.random() < 0.5:
            core, names = pending[int(random.integers(len(pending)))]
        else:
            core = np.searchsorted(cumulative, random.random(WORDS // 2))
            names = [f"N{np.base_repr(int(n), 36).lower()}" for n in random.integers(0, NAMES, 4)]
            pending.append((core, names))
            if len(pending) > 200:
                pending.pop(0)
        own = np.searchsorted(cumulative, random.random(WORDS - len(core)))
        words = vocabulary[np.minimum(np.concatenate((core, own)), VOCABULARY - 1)].tolist()
        title = " ".join([*names[:2], *words[:6]])
        text = " ".join([*words[:40], *names, str(10 + number % 80), *words[40:]])
        time_ = START + timedelta(seconds=30 * number)
        yield Document(number, title, text, None, f"p{number % 200}", time_, time_, "en")


def ours(size: int) -> None:
    matcher = Matcher(Model.load(), Limits(documents=size + PROBE))
    stream = articles(size + PROBE)
    filled = 0.0
    for some in batched(islice(stream, size)):
        started = time.process_time()
        matcher.prepare(some)
        for document in some:
            matcher.restore(document, Decision(document.id, document.id))
        filled += time.process_time() - started
    probes = list(batched(stream))
    started = time.process_time()
    for some in probes:
        matcher.prepare(some)
        for document in some:
            matcher.add(document)
    taken = time.process_time() - started
    print(
        f"newsfold     window {size:>9,}  add {PROBE / taken:>7,.0f}/s"
        f"  restore {size / filled:>7,.0f}/s  of CPU time",
        flush=True,
    )


def batched(stream: Iterator[Document]) -> Iterator[list[Document]]:
    while some := list(islice(stream, TOGETHER)):
        yield some


def memory(size: int) -> None:
    """What each further article holds: the slope between two sizes.

    Read with the tokenizers' caches emptied, for those are bounded whatever the window.
    """
    tracemalloc.start()
    matcher = Matcher(Model.load())
    held = []
    for number, document in enumerate(articles(2 * size), 1):
        matcher.add(document)
        if number % size == 0:
            matcher._fingerprinter._tokenizers.clear()  # noqa: SLF001 - see above
            held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    print(f"newsfold     memory {(held[1] - held[0]) / size:,.0f} bytes for each further article")


def minhash(size: int) -> None:
    from datasketch import MinHash, MinHashLSH  # noqa: PLC0415 - only where it is measured

    index = MinHashLSH(threshold=0.5, num_perm=64)
    stream = articles(size + PROBE)

    def sketch(document: Document) -> MinHash:
        made = MinHash(num_perm=64)
        words = document.text.split()
        made.update_batch([" ".join(words[i : i + 3]).encode() for i in range(len(words) - 2)])
        return made

    for _ in range(size):
        document = next(stream)
        index.insert(document.id, sketch(document))
    started = time.process_time()
    for document in stream:
        made = sketch(document)
        index.query(made)
        index.insert(document.id, made)
    print(f"MinHash LSH  window {size:>9,}  add {PROBE / (time.process_time() - started):>7,.0f}/s")


def tfidf(size: int, probes: int = 100) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - as above
    from sklearn.neighbors import NearestNeighbors  # noqa: PLC0415 - as above

    texts = [document.text for document in articles(size + probes)]
    vectorizer = TfidfVectorizer()
    search = NearestNeighbors(n_neighbors=10, metric="cosine", algorithm="brute")
    search.fit(vectorizer.fit_transform(texts[:size]))
    started = time.process_time()
    for text in texts[size:]:
        search.kneighbors(vectorizer.transform([text]))
    print(
        f"TF-IDF NN    window {size:>9,}  find {probes / (time.process_time() - started):>6,.0f}/s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rivals", type=int, default=100_000, help="largest size for the rivals")
    arguments = parser.parse_args()
    memory(MEMORY_SAMPLE)
    for size in arguments.sizes:
        ours(size)
        if size <= arguments.rivals:
            minhash(size)
            tfidf(size)


if __name__ == "__main__":
    main()
