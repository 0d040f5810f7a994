"""Fuzzing: spoiled inputs for everything that reads what strangers send, until something breaks.

    python tests/fuzz.py [--minutes 5] [--target feeds]... [--seed 1] [--keep DIRECTORY]
    python tests/fuzz.py --target feeds FILE...

The targets take turns of a quarter of a minute. Each is checked in a process of its own, so that
an input that crashes it, or never ends, is a finding like any other. An input that makes something
new happen is spoiled further. Findings are written to the directory (by default
build/fuzz), once for each place where they come up; with FILE, they are checked again. The exit
code is 1 if anything was found. What is found becomes a test with a name.

``slow`` is no fault where the daemon reads in a child process that it kills (feeds, pages).
"""

import argparse
import collections
import contextlib
import hashlib
import logging
import multiprocessing
import re
import sys
import time
import traceback
import warnings
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
from fuzz_mutations import Mutator  # noqa: E402 - they are beside this file, wherever it is run
from fuzz_targets import TARGETS, Target  # noqa: E402

TURN = 15.0
"""Seconds of a target's turn."""
PATIENCE = 60.0
"""Seconds by the clock after which a process that checks is killed; the machine may be busy."""
_NEW = 20_000
"""Kinds of outcome that are told apart."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What ``happened`` in ``seconds`` of CPU time, or the traceback of what ``broke``."""

    happened: Hashable
    broke: str
    seconds: float


def judge(target: Target, data: bytes) -> Verdict:
    """Check one input in this process."""
    start = time.process_time()
    happened: Hashable = None
    broke = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            happened = target.check(data)
    except MemoryError:
        happened = "memory"
    except Exception:  # noqa: BLE001 - this is what is looked for
        broke = traceback.format_exc()
    return Verdict(happened, broke, time.process_time() - start)


class Child:
    """A process that judges inputs for ``target``, replaced when it dies or is killed."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._start()

    def _start(self) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(
            target=_judge_all, args=(self._target.name, theirs), daemon=True
        )
        self._process.start()
        theirs.close()
        self._pipe.recv()

    def judge(self, data: bytes) -> Verdict:
        with contextlib.suppress(EOFError, OSError):
            self._pipe.send_bytes(data)
            if self._pipe.poll(PATIENCE):
                verdict: Verdict = self._pipe.recv()
                return verdict
            self.close()
            self._start()
            return Verdict("killed", "", PATIENCE)
        self._process.join()
        code = self._process.exitcode
        self._start()
        return Verdict(None, f"the process died with exit code {code}", 0.0)

    def close(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _judge_all(name: str, pipe: Connection) -> None:
    logging.disable(logging.WARNING)
    target = TARGETS[name]
    target.check(target.corpus()[0])  # loads what it needs
    pipe.send(None)
    with contextlib.suppress(EOFError):
        while True:
            pipe.send(judge(target, pipe.recv_bytes()))


@dataclass
class Session:
    """One target's fuzzing: its inputs, and what came of them."""

    target: Target
    mutator: Mutator
    child: Child
    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    happened: set[Hashable] = field(default_factory=set)
    found: collections.Counter[str] = field(default_factory=collections.Counter)

    def turn(self, until: float, keep: Path) -> None:
        while time.monotonic() < until:
            data = self.mutator.next()
            verdict = self.child.judge(data)
            self.inputs += 1
            self.seconds += verdict.seconds
            self.slowest = max(self.slowest, verdict.seconds)
            if finding := finding_of(self.target, verdict):
                self._report(finding, data, verdict, keep)
            elif verdict.happened not in self.happened and len(self.happened) < _NEW:
                self.happened.add(verdict.happened)
                self.mutator.keep(data)

    def _report(self, finding: str, data: bytes, verdict: Verdict, keep: Path) -> None:
        self.found[finding] += 1
        if self.found[finding] == 1:
            digest = hashlib.sha256(data).hexdigest()[:12]
            keep.mkdir(parents=True, exist_ok=True)
            path = keep / f"{self.target.name}-{digest}"
            path.write_bytes(data)
            broke = "\n".join(line[:200] for line in verdict.broke.splitlines())
            print(f"\n{self.target.name}: {finding}\n  {path}\n{broke}", flush=True)


def finding_of(target: Target, verdict: Verdict) -> str:
    """What is wrong, named by its place, so that it is told once; empty for nothing."""
    if verdict.broke:
        lines = verdict.broke.strip().splitlines()
        places = re.findall(r'File "(?:.*/)?([\w.]+)", line (\d+)', verdict.broke)
        where = " < ".join(":".join(place) for place in reversed(places[-2:]))
        return f"{lines[-1].partition(':')[0][:60]} at {where}"
    if verdict.seconds > target.limit:
        return "slow"
    return ""


def fuzz(names: list[str], minutes: float, seed: int, keep: Path) -> bool:
    """Whether nothing was found but what is slow where it may be."""
    sessions = [
        Session(target, Mutator(target.corpus(), seed, target.words), Child(target))
        for target in map(TARGETS.__getitem__, names)
    ]
    end = time.monotonic() + 60 * minutes
    for session in _turns(sessions):
        if time.monotonic() >= end:
            break
        session.turn(min(end, time.monotonic() + TURN), keep)
    print(f"{'target':<10}{'inputs':>10}{'kinds':>8}{'per s':>8}{'slowest':>9}  findings")
    for session in sessions:
        session.child.close()
        rate = session.inputs / session.seconds if session.seconds else 0.0
        found = "; ".join(f"{name} ({times})" for name, times in session.found.items()) or "none"
        print(
            f"{session.target.name:<10}{session.inputs:>10}{len(session.happened):>8}"
            f"{rate:>8.0f}{session.slowest:>8.2f}s  {found}"
        )
    return not any(name != "slow" or not s.target.apart for s in sessions for name in s.found)


def _turns(sessions: list[Session]) -> Iterator[Session]:
    while True:
        yield from sessions


def check_again(target: Target, paths: list[Path]) -> bool:
    good = True
    for path in paths:
        verdict = judge(target, path.read_bytes())
        finding = finding_of(target, verdict)
        good &= not finding
        print(f"{path}: {finding or 'nothing'} ({verdict.seconds:.2f} s)\n{verdict.broke}")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--target", action="append", choices=list(TARGETS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    given = parser.parse_args()
    names = given.target or list(TARGETS)
    if given.files:
        if len(names) != 1:
            parser.error("FILE needs one --target")
        return not check_again(TARGETS[names[0]], given.files)
    return not fuzz(names, given.minutes, given.seed, given.keep)


if __name__ == "__main__":
    sys.exit(main())
