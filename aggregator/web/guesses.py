"""Tokens that clients show: compared in constant time, and wrong ones counted.

Whoever guesses is made to wait, and nobody else: counted is by the client's address, and a token
that has been right from an address before goes on being right from there.
"""

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

import structlog
from starlette.types import Scope

from aggregator.web.clients import Clients

TOO_MANY = "Too many wrong tokens came from this address; wait a while.\n"
MINUTE = 60.0
HOUR = 60 * MINUTE
_REMEMBERED = 10_000
"""Clients, and tokens of clients, that are remembered; those not seen for longest are forgotten."""
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a token opens what is asked for, or how many seconds to ``wait`` before the next."""

    opens: bool
    wait: int = 0


class Guesses:
    """Judges tokens. A client may be wrong ``most`` times, and again after a minute's ``most``-th.

    ``clock`` gives monotonic seconds.
    """

    def __init__(
        self,
        most: int,
        clients: Clients | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._clients = clients or Clients()
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """By client: how many wrong ones count, and as of when."""
        self._proven: OrderedDict[tuple[str, bytes], None] = OrderedDict()
        self._told: OrderedDict[str, float] = OrderedDict()
        """By client: when it was logged last that it guesses."""

    def judge(self, scope: Scope, offered: Iterable[str], valid: Iterable[str]) -> Verdict:
        """Whether one of the ``offered`` tokens is among those that are ``valid`` here."""
        # Digests have one length, so that comparing them takes one time; and all are compared.
        shown = [_digest(token) for token in offered]
        keys = [_digest(token) for token in valid]
        equal = [one for one in shown for key in keys if secrets.compare_digest(one, key)]
        if not shown:
            return Verdict(opens=False)
        client = self._clients.of(scope)
        wait = self._wait(client)
        if wait and not any((client, one) in self._proven for one in equal):
            return Verdict(opens=False, wait=wait)
        if not equal:
            self._note_wrong(client)
            return Verdict(opens=False)
        for one in equal:
            _remember(self._proven, (client, one), None)
        return Verdict(opens=True)

    def _count(self, client: str) -> float:
        """The wrong ones that still count: they are forgiven evenly, ``most`` in a minute."""
        count, then = self._wrong.get(client, (0.0, 0.0))
        return max(0.0, count - (self._clock() - then) * self._most / MINUTE)

    def _wait(self, client: str) -> int:
        over = self._count(client) - (self._most - 1)
        return ceil(over * MINUTE / self._most) if over > 0 else 0

    def _note_wrong(self, client: str) -> None:
        count, now = self._count(client) + 1, self._clock()
        _remember(self._wrong, client, (count, now))
        if count > self._most - 1 and self._told.get(client, -HOUR) <= now - HOUR:
            _remember(self._told, client, now)
            _log.warning("token", outcome="guessed", client=client, wrong=self._most)


def _remember(known: "OrderedDict[_Key, _Value]", key: _Key, value: _Value) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > _REMEMBERED:
        known.popitem(last=False)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
