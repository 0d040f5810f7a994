"""The subscribe stage: asks hubs to deliver what polls would find, and asks again in time.

claim what is due -> decide (subscription_rules.py) -> remember -> POST to the hub -> remember

A poll whose document names a hub makes a subscription due (hub_watch.py); the hub asks back at our
callback (mailbox.py), which makes it active. Nothing of this is needed for the news to arrive:
whatever a hub does, polling goes on.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from aggregator.stages.poll.polling import health_of
from aggregator.stages.poll.schedule import without_push
from aggregator.stages.push.hub_watch import callback_base
from aggregator.stages.push.subscription_rules import after_asking, due_step
from aggregator.stages.tools import Tools
from feeds.model import FetchOutcome, FetchRequest
from feeds.websub import subscription_form
from storage.sources import poll_earlier, source_by_id
from storage.subscriptions import claim_subscriptions, move_callbacks, save_answer, save_step
from storage.values.push import Subscription

LEASE = timedelta(minutes=15)
"""How long a claimed subscription is somebody's: longer than its turn at the hub may take."""
MAX_ANSWER = 64 * 1024
"""Bytes of a hub's answer; only its status matters."""
SLOTS = 8

_log = structlog.get_logger()


class Subscriber:
    """Asks hubs. What they do ends as their subscription's state, and nowhere else."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def begin(self) -> None:
        """Ask anew those who know us by an address that is ours no more."""
        base = callback_base(self._tools.settings.server.base_url)
        await self._tools.ledger.write(move_callbacks, base, self._tools.clock())

    async def claim(self, limit: int) -> Sequence[Subscription]:
        """Take subscriptions that something is to be done about."""
        now = self._tools.clock()
        return await self._tools.ledger.write(claim_subscriptions, now, now + LEASE, limit)

    async def step(self, subscription: Subscription) -> None:
        """Do what is to be done about one: ask its hub, or let polling take its place."""
        ledger, clock, rng = self._tools.ledger, self._tools.clock, self._tools.rng
        step = due_step(subscription, clock(), rng)
        if not await ledger.write(save_step, step.subscription):
            return
        if step.ended:
            await self._back_to_polling(step.subscription)
        if not step.ask:
            return
        outcome = await self._ask(step.subscription)
        answered = after_asking(step.subscription, outcome, clock(), rng)
        await ledger.write(save_answer, answered, step.subscription.asked_at)
        failed = answered.failures > step.subscription.failures
        log = _log.warning if failed else _log.info
        log(
            "asked hub",
            hub=answered.hub,
            topic=answered.topic,
            outcome="failed" if failed else "asked",
            error=answered.last_error if failed else None,
            next=answered.next_attempt_at.isoformat(timespec="seconds"),
        )

    async def _ask(self, subscription: Subscription) -> FetchOutcome:
        callback = subscription.callback_base + subscription.token
        request = FetchRequest(
            subscription.hub,
            timeout=self._tools.settings.fetch.timeout.total_seconds(),
            max_bytes=MAX_ANSWER,
            form=subscription_form(subscription.topic, callback, subscription.secret),
        )
        return await self._tools.fetch_in_turn(request)

    async def _back_to_polling(self, subscription: Subscription) -> None:
        _log.warning(
            "push ended", hub=subscription.hub, topic=subscription.topic, outcome=subscription.state
        )
        source = await self._tools.ledger.read(source_by_id, subscription.source_id)
        if source is None:
            return
        at = without_push(health_of(source.schedule), self._tools.clock(), self._tools.rng)
        if at is not None:
            await self._tools.ledger.write(poll_earlier, source.id, at)
