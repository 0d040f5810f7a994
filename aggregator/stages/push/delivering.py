"""The deliver stage: what hubs sent, read as if a poll had brought it.

claim -> parse in a child -> what is new, what changed -> one transaction

The only part of a delivery that counts is its body: what its headers say of validity is about the
hub's request, not about the feed. When the next poll is, and how the source is doing, is for polls
to say.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from aggregator.stages.poll.findings import Finding
from aggregator.stages.poll.polling import Poller
from aggregator.stages.push.subscription_rules import pause_after
from aggregator.stages.tools import Tools
from feeds.model import Response
from storage.deliveries import claim_deliveries, finish_delivery
from storage.sources import source_by_id
from storage.values.push import DeliveryToRead, PushCommit

LEASE = timedelta(minutes=5)
"""How long a claimed delivery is somebody's: longer than it may wait and be parsed."""
SLOTS = 4

_log = structlog.get_logger()


class Deliverer:
    """Reads deliveries, of each source one at a time."""

    def __init__(self, tools: Tools, poller: Poller) -> None:
        self._tools = tools
        self._poller = poller

    async def claim(self, limit: int) -> Sequence[DeliveryToRead]:
        """Take what waits to be read."""
        now = self._tools.clock()
        return await self._tools.ledger.write(claim_deliveries, now, now + LEASE, limit)

    async def read(self, delivery: DeliveryToRead) -> None:
        """Read a claimed delivery and write what came of it."""
        ledger, begun = self._tools.ledger, time.monotonic()
        source = await ledger.read(source_by_id, delivery.source_id)
        commit = None
        if source is not None:
            finding = await self._poller.find(source, as_polled(delivery))
            seconds = time.monotonic() - begun
            commit = push_commit(delivery, finding, self._tools.clock(), seconds)
            self._tools.tally.metrics.delivered(commit)
            log = _log.info if commit.error is None else _log.warning
            log(
                "delivered",
                source=source.name,
                outcome="failed" if commit.error else "new" if commit.new else "unchanged",
                new=len(commit.new),
                changed=len(commit.changed),
                seconds=round(seconds, 3),
                error=commit.error,
            )
        free_at = self._tools.clock() + pause_after(time.monotonic() - begun)
        await ledger.write(finish_delivery, delivery, free_at, commit)


def as_polled(delivery: DeliveryToRead) -> Response:
    """The answer that a poll would have got."""
    headers = {"content-type": delivery.content_type} if delivery.content_type else {}
    return Response(delivery.document_url, 200, headers, delivery.body)


def push_commit(
    delivery: DeliveryToRead, finding: Finding, now: datetime, seconds: float
) -> PushCommit:
    """What to write after a delivery."""
    brought = bool(finding.new or finding.changed)
    return PushCommit(
        source_id=delivery.source_id,
        at=now,
        error=finding.error,
        seconds=seconds,
        wire_bytes=len(delivery.body),
        body_hash=finding.body_hash if brought else None,
        new=finding.new,
        changed=finding.changed,
        dropped=finding.dropped,
    )
