"""A little fuzzing: what nobody should send, from fixed seeds. tests/fuzz.py does it for longer.

``TESTS_FUZZ_SECONDS`` seconds are spent on each target, in place of a fixed number of inputs.
"""

import itertools
import os
import time
from collections.abc import Iterator

import pytest
from fuzz_mutations import Mutator
from fuzz_targets import TARGETS, Target

INPUTS = {"feeds": 120, "pages": 40, "requests": 150, "piles": 60}
SECONDS = float(os.environ.get("TESTS_FUZZ_SECONDS", "0"))


def inputs(target: Target) -> Iterator[bytes]:
    mutator = Mutator(target.corpus(), seed=1, words=target.words)
    end = time.monotonic() + SECONDS
    for number in itertools.count():
        if time.monotonic() >= end and number >= INPUTS.get(target.name, 300):
            return
        yield mutator.next()


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_what_holds_for_good_inputs_holds_for_spoiled_ones(target: Target) -> None:
    for data in target.corpus():
        target.check(data)
    for data in inputs(target):
        target.check(data)


def test_the_same_seed_gives_the_same_inputs() -> None:
    corpus = [b"<a href='1'>one two</a>", b"three 4"]
    first, second, other = (Mutator(corpus, seed) for seed in (1, 1, 2))
    made = [first.next() for _ in range(200)]
    assert made == [second.next() for _ in range(200)]
    assert made != [other.next() for _ in range(200)]
