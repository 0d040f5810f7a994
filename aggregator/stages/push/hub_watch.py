"""What polls find out about hubs: which a feed names, and whether they deliver."""

import secrets
from collections.abc import Callable

from aggregator.stages.poll.findings import Finding
from aggregator.stages.push.subscription_rules import is_pushing, push_works, wanted_hub
from aggregator.stages.tools import Tools
from feeds.websub import Advert
from storage.subscriptions import (
    add_subscription,
    note_missed,
    remove_subscription,
    subscription_of,
)
from storage.values.push import NewSubscription, Subscription

_TOKEN_BYTES = 24
_SECRET_BYTES = 32


class HubWatch:
    """Sees every poll's finding. ``wake`` is called when there is a hub to ask."""

    def __init__(self, tools: Tools, wake: Callable[[], None] = lambda: None) -> None:
        self._tools = tools
        self._factor = tools.settings.websub.poll_factor
        self._wake = wake

    async def seen(self, source_id: int, finding: Finding) -> float:
        """Take in what a poll of the source found; how many times longer its next may wait."""
        ledger, now = self._tools.ledger, self._tools.clock()
        subscription = await ledger.read(subscription_of, source_id)
        if finding.url is not None:
            await self._heed(source_id, subscription, finding.advert, finding.url)
        if subscription is None or not is_pushing(subscription, now):
            return 1.0
        if finding.new:
            await ledger.write(note_missed, subscription.id, now)
            return 1.0
        return self._factor if push_works(subscription, now) else 1.0

    async def _heed(
        self, source_id: int, subscription: Subscription | None, advert: Advert | None, url: str
    ) -> None:
        now = self._tools.clock()
        wanted = wanted_hub(subscription, advert, now)
        if subscription is not None and wanted == (subscription.hub, subscription.topic):
            return
        if wanted is None:
            if subscription is not None:
                await self._tools.ledger.write(remove_subscription, source_id)
            return
        new = NewSubscription(
            source_id=source_id,
            hub=wanted[0],
            topic=wanted[1],
            document_url=url,
            callback_base=callback_base(self._tools.settings.server.base_url),
            token=secrets.token_urlsafe(_TOKEN_BYTES),
            secret=secrets.token_urlsafe(_SECRET_BYTES),
        )
        await self._tools.ledger.write(add_subscription, new, now)
        self._wake()


def callback_base(base_url: str) -> str:
    """What the address of every callback starts with."""
    return f"{base_url.rstrip('/')}/websub/"
