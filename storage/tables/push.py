"""WebSub: our subscriptions at hubs, what they delivered, what our own hubs were told."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.columns import BigId, Json, UtcDateTime
from storage.tables.rows import core_table


class Subscription(SQLModel, table=True):
    """What we asked a hub to tell us of a source's feed (WebSub), and what came of it.

    ``state`` is ``waiting`` (nothing is under way), ``asked``, ``active`` or ``denied``. A new hub
    or topic is a new subscription: another token, another secret.
    """

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id", unique=True)
    hub: str
    topic: str
    document_url: str = Field(description="Where the document was read that named the hub.")
    callback_base: str = Field(description="The public address that the hub was given.")
    token: str = Field(unique=True)
    secret: str
    state: str = "waiting"
    created_at: datetime = Field(sa_type=UtcDateTime)
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    verified_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    next_attempt_at: datetime = Field(sa_type=UtcDateTime, index=True)
    failures: int = 0
    last_error: str | None = None
    last_delivery_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    missed_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="When a poll found what no delivery brought."
    )
    deliveries: int = 0
    ignored: int = Field(default=0, description="Deliveries without our signature.")
    recent: list[str] = Field(default_factory=list, sa_type=Json)
    busy_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Delivery(SQLModel, table=True):
    """What a hub sent and we signed for, until it is read."""

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    subscription_id: int = Field(foreign_key="subscription.id", index=True)
    received_at: datetime = Field(sa_type=UtcDateTime)
    content_type: str | None = None
    body: bytes


class Ping(SQLModel, table=True):
    """What a hub was last told of a document of ours: ``told`` and ``wanted`` are its ETags."""

    __table_args__ = (UniqueConstraint("hub", "url"),)

    id: int | None = Field(default=None, primary_key=True)
    hub: str
    url: str
    wanted: str
    told: str | None = None
    next_attempt_at: datetime = Field(sa_type=UtcDateTime)
    failures: int = 0
    last_attempt_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_error: str | None = None


subscriptions = core_table(Subscription)
deliveries = core_table(Delivery)
pings = core_table(Ping)
