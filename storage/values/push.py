"""Subscriptions at hubs, what hubs deliver, and what our own are told."""

from dataclasses import dataclass
from datetime import datetime

from storage.values.poll import EntryWrite


@dataclass(frozen=True, slots=True)
class Subscription:
    """What we asked a hub for. ``state`` is ``waiting``, ``asked``, ``active`` or ``denied``.

    ``asked_at`` is None where no answer is awaited and none is welcome. ``missed_at`` is when a
    poll last found what the hub should have delivered.
    """

    id: int
    source_id: int
    hub: str
    topic: str
    document_url: str
    callback_base: str
    token: str
    secret: str
    state: str
    created_at: datetime
    next_attempt_at: datetime
    asked_at: datetime | None = None
    verified_at: datetime | None = None
    lease_until: datetime | None = None
    failures: int = 0
    last_error: str | None = None
    last_delivery_at: datetime | None = None
    missed_at: datetime | None = None
    deliveries: int = 0
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """A hub that a source names, to be asked."""

    source_id: int
    hub: str
    topic: str
    document_url: str
    callback_base: str
    token: str
    secret: str


@dataclass(frozen=True, slots=True)
class DeliveryToRead:
    """What a hub sent: a document as a poll of ``document_url`` would have brought it."""

    id: int
    subscription_id: int
    source_id: int
    document_url: str
    content_type: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class PushCommit:
    """Everything one delivery changes.

    ``body_hash`` is None where it brought nothing new; then the validators of the last poll stay.
    Where it did they are forgotten, so that the next poll is told whatever the feed says by then.
    ``dropped`` as in ``PollCommit``.
    """

    source_id: int
    at: datetime
    error: str | None = None
    seconds: float = 0.0
    wire_bytes: int = 0
    body_hash: str | None = None
    new: tuple[EntryWrite, ...] = ()
    changed: tuple[EntryWrite, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ping:
    """What a hub was told, and is to be told, of a document of ours, by entity tags."""

    hub: str
    url: str
    wanted: str
    next_attempt_at: datetime
    told: str | None = None
    failures: int = 0
    last_attempt_at: datetime | None = None
    last_told_at: datetime | None = None
    last_error: str | None = None
