"""Push put together: what asks hubs, what takes their deliveries, and what reads them."""

from dataclasses import dataclass
from typing import Any

from aggregator.config.settings import Settings
from aggregator.running.bell import Bell
from aggregator.stages.poll.polling import Poller
from aggregator.stages.push import delivering, subscribing
from aggregator.stages.push.hub_watch import HubWatch
from aggregator.stages.push.mailbox import Mailbox
from aggregator.stages.push.subscription_rules import is_reachable
from aggregator.stages.stage import Stage
from aggregator.stages.tools import Tools
from storage.values.push import DeliveryToRead, Subscription


@dataclass(frozen=True, slots=True)
class Push:
    """The subscriber's side of WebSub (docs/websub.md)."""

    subscriber: subscribing.Subscriber
    subscribing: Stage[Subscription]
    delivering: Stage[DeliveryToRead]
    hubs: HubWatch
    mailbox: Mailbox

    @property
    def stages(self) -> tuple[Stage[Any], ...]:
        """What is to run beside the other stages."""
        return self.subscribing, self.delivering


def assemble_push(tools: Tools, bell: Bell) -> Push | None:
    """Push over ``tools``; None where it is switched off, or no hub could reach us."""
    if not is_push_wanted(tools.settings):
        return None
    subscriber = subscribing.Subscriber(tools)
    asking = Stage("subscribe", subscriber.claim, subscriber.step, subscribing.SLOTS)
    deliverer = delivering.Deliverer(tools, Poller(tools))
    reading = Stage(
        "deliver",
        deliverer.claim,
        deliverer.read,
        delivering.SLOTS,
        after=bell.for_stage("extract"),
    )
    bell.answer(asking.name, asking.wake)
    bell.answer(reading.name, reading.wake)
    return Push(
        subscriber,
        asking,
        reading,
        HubWatch(tools, bell.for_stage(asking.name)),
        Mailbox(
            tools,
            delivered=bell.for_stage(reading.name),
            denied=bell.for_stage(asking.name),
        ),
    )


def is_push_wanted(settings: Settings) -> bool:
    """Whether to subscribe at hubs at all."""
    return settings.websub.enabled and is_reachable(settings.server.base_url)
