"""What hubs sent: kept until it is read, never more than a little of it."""

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, and_, delete, exists, func, or_, select, update

from storage.database import Database
from storage.polling import write_entries
from storage.tables.push import Delivery, deliveries, subscriptions
from storage.tables.rows import new_row
from storage.tables.source import Fetch, fetches, sources
from storage.upsert import insert
from storage.values.push import DeliveryToRead, PushCommit

MOST_WAITING = 8
"""Deliveries of one subscription that wait to be read."""
MOST_IN_ALL = 64
REMEMBERED = 50
"""Deliveries of one subscription that are known again, so that nobody replays them."""
_LONGEST_BUSY = timedelta(hours=1)
"""A claim that ends later was made by a clock that was wrong."""
KEPT = timedelta(hours=1)
"""What was not read by then is dropped: a poll brings it."""

Acceptance = Literal["queued", "known", "full"]


def accept_delivery(
    db: Database,
    subscription_id: int,
    body: bytes,
    *,
    content_type: str | None,
    digest: str,
    now: datetime,
) -> Acceptance:
    """Keep what a hub sent, unless it is ``known`` by its digest, or too much waits already."""
    with db.write() as connection:
        recent = connection.execute(
            select(subscriptions.c.recent)
            .where(subscriptions.c.id == subscription_id)
            .with_for_update(key_share=True)
        ).scalar_one_or_none()
        if recent is None or digest in recent:
            return "known"
        if _is_full(connection, subscription_id):
            return "full"
        connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id == subscription_id)
            .values(
                recent=[*recent, digest][-REMEMBERED:],
                deliveries=subscriptions.c.deliveries + 1,
                last_delivery_at=now,
            )
        )
        row = new_row(
            Delivery,
            subscription_id=subscription_id,
            received_at=now,
            content_type=content_type,
            body=body,
        )
        connection.execute(insert(connection, deliveries).values(row))
    return "queued"


def _is_full(connection: Connection, subscription_id: int) -> bool:
    waiting, of_this = connection.execute(
        select(
            func.count(),
            func.count().filter(deliveries.c.subscription_id == subscription_id),
        ).select_from(deliveries)
    ).one()
    return waiting >= MOST_IN_ALL or of_this >= MOST_WAITING


def count_ignored(db: Database, subscription_id: int) -> None:
    """One more delivery that nobody signed as agreed."""
    with db.write() as connection:
        connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id == subscription_id)
            .values(ignored=subscriptions.c.ignored + 1)
        )


def claim_deliveries(
    db: Database, now: datetime, busy_until: datetime, limit: int
) -> tuple[DeliveryToRead, ...]:
    """Take the oldest delivery of up to ``limit`` subscriptions; of none two at a time."""
    free = or_(
        subscriptions.c.busy_until.is_(None),
        subscriptions.c.busy_until <= now,
        subscriptions.c.busy_until > now + _LONGEST_BUSY,
    )
    waiting = exists().where(deliveries.c.subscription_id == subscriptions.c.id)
    due = (
        select(subscriptions.c.id)
        .where(and_(free, waiting))
        .order_by(subscriptions.c.busy_until.nulls_first(), subscriptions.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
        .cte("due")  # not a plain subquery: see claim_new
    )
    stale = (
        select(deliveries.c.id)
        .where(deliveries.c.received_at < now - KEPT)
        .with_for_update(skip_locked=True)
    )
    with db.write() as connection:
        connection.execute(delete(deliveries).where(deliveries.c.id.in_(stale)))
        claimed = connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id.in_(select(due.c.id)))
            .values(busy_until=busy_until)
            .returning(subscriptions.c.id)
        ).scalars()
        oldest = (
            select(func.min(deliveries.c.id))
            .where(deliveries.c.subscription_id.in_(claimed.all()))
            .group_by(deliveries.c.subscription_id)
        )
        rows = connection.execute(
            select(deliveries, subscriptions.c.source_id, subscriptions.c.document_url)
            .join(subscriptions)
            .where(deliveries.c.id.in_(oldest))
            .order_by(deliveries.c.id)
        ).all()
    return tuple(
        DeliveryToRead(
            id=row.id,
            subscription_id=row.subscription_id,
            source_id=row.source_id,
            document_url=row.document_url,
            content_type=row.content_type,
            body=row.body,
        )
        for row in rows
    )


def finish_delivery(
    db: Database, delivery: DeliveryToRead, busy_until: datetime, commit: PushCommit | None
) -> None:
    """Write what a delivery brought in one transaction, and leave its subscription alone so long.

    ``commit`` is None where its source is not read any more.
    """
    with db.write() as connection:
        if commit is not None:
            write_entries(connection, [commit])
            _update_source(connection, commit)
            connection.execute(insert(connection, fetches).values(**_fetch_row(commit)))
        # The subscription first, here as everywhere: two transactions would else lock each other
        # out.
        connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id == delivery.subscription_id)
            .values(busy_until=busy_until)
        )
        connection.execute(delete(deliveries).where(deliveries.c.id == delivery.id))


def _update_source(connection: Connection, commit: PushCommit) -> None:
    if commit.body_hash is None:
        return
    values: dict[str, object] = {
        "body_hash": commit.body_hash,
        "validators_url": None,
        "etag": None,
        "last_modified": None,
    }
    if commit.new:
        values["last_entry_at"] = commit.at
    connection.execute(update(sources).where(sources.c.id == commit.source_id).values(values))


def _fetch_row(commit: PushCommit) -> dict[str, object]:
    return new_row(
        Fetch,
        source_id=commit.source_id,
        at=commit.at,
        outcome="pushed",
        seconds=commit.seconds,
        wire_bytes=commit.wire_bytes,
        new_entries=len(commit.new),
        changed_entries=len(commit.changed),
        detail=commit.error or "",
    )
