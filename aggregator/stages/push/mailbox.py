"""What reaches us at a callback: hubs' questions and deliveries, judged and handed on.

A callback is known by a token that only we and one hub know. Nothing that comes here is believed
for that alone: a wish is confirmed only if we had it, and content counts only with a signature made
with the subscription's secret. Nothing is read here either; that is the deliver stage's work.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

import structlog

from aggregator.stages.push.subscription_rules import heard
from aggregator.stages.tools import Tools
from feeds.websub import is_signed, read_intent
from storage.deliveries import accept_delivery, count_ignored
from storage.subscriptions import save_word, subscription_by_token
from storage.values.push import Subscription

PER_MINUTE = 30
"""Requests of one subscription's hub that are looked at in a minute."""
AT_ONCE = 2
IN_ALL = 16
"""Requests that are being received at once, of one subscription's hub and of all."""

_log = structlog.get_logger()


class Turnstile:
    """Lets so many requests in, so that a hub that floods us costs little and holds up nobody."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._inside = 0
        self._visits: dict[int, _Visits] = {}

    @contextmanager
    def entered(self, subscription_id: int) -> Iterator[bool]:
        """Whether a request for this subscription may be received now; held while it is."""
        now = self._clock()
        visits = self._visits.setdefault(subscription_id, _Visits())
        # Those ahead of now are of a clock that has been set back.
        while visits.times and not now - timedelta(minutes=1) < visits.times[0] <= now:
            visits.times.popleft()
        if self._inside >= IN_ALL or visits.inside >= AT_ONCE or len(visits.times) >= PER_MINUTE:
            yield False
            return
        visits.times.append(now)
        visits.inside += 1
        self._inside += 1
        try:
            yield True
        finally:
            visits.inside -= 1
            self._inside -= 1


@dataclass(slots=True)
class _Visits:
    times: deque[datetime] = field(default_factory=deque)
    inside: int = 0


class Mailbox:
    """Takes what hubs send.

    ``delivered`` is called when there is something to read, ``denied`` when there is something to
    be done about a subscription.
    """

    def __init__(
        self,
        tools: Tools,
        *,
        delivered: Callable[[], None] = lambda: None,
        denied: Callable[[], None] = lambda: None,
    ) -> None:
        self._tools = tools
        self._delivered = delivered
        self._denied = denied
        self.turnstile = Turnstile(tools.clock)
        self.max_bytes = tools.settings.fetch.max_bytes
        self.seconds = tools.settings.fetch.timeout.total_seconds()

    async def owner(self, token: str) -> Subscription | None:
        """Whose callback this is; None where nobody's (any more)."""
        return await self._tools.ledger.read(subscription_by_token, token)

    async def answer(self, subscription: Subscription, query: dict[str, str]) -> str | None:
        """What to answer a hub's question: its challenge, or nothing; None where we never asked."""
        intent = read_intent(query)
        if intent is None:
            return None
        told = heard(subscription, intent, self._tools.clock(), self._tools.rng)
        if told is None:
            return None
        await self._tools.ledger.write(save_word, told)
        _log.info(
            "hub said",
            hub=told.hub,
            topic=told.topic,
            outcome=told.state,
            lease_until=told.lease_until and told.lease_until.isoformat(timespec="seconds"),
            error=told.last_error,
        )
        if told.state == "denied":
            self._denied()
        return intent.challenge

    async def accept(
        self,
        subscription: Subscription,
        body: bytes,
        *,
        content_type: str | None,
        signature: str | None,
    ) -> bool:
        """Take a delivery; False where too much waits already, and the hub should come again.

        One without our signature is taken as far as the hub can tell, and ignored (WebSub, 7.1).
        """
        ledger = self._tools.ledger
        # In a thread: some 20 ms of hashing for the largest body.
        if not await asyncio.to_thread(is_signed, body, signature, subscription.secret):
            await ledger.write(count_ignored, subscription.id)
            self._tools.tally.metrics.delivery_refused("unsigned")
            _log.warning("delivered", outcome="not signed", topic=subscription.topic)
            return True
        accepted = await ledger.write(
            accept_delivery,
            subscription.id,
            body,
            content_type=content_type,
            digest=sha256(body).hexdigest()[:32],
            now=self._tools.clock(),
        )
        if accepted == "queued":
            self._delivered()
        if accepted == "full":
            self._tools.tally.metrics.delivery_refused("full")
        return accepted != "full"
