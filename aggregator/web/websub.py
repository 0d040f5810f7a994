"""Callbacks that hubs call, and a page that says how it goes. The one place that takes anything in.

It only hands over: a delivery is answered once it is signed for and stored, and read later, by
another stage.
"""

import asyncio
from typing import Annotated

from fastapi import FastAPI, Path, Request, Response
from starlette.requests import ClientDisconnect

from aggregator.ledger import Ledger
from aggregator.stages.push.mailbox import Mailbox
from storage.pings import all_pings
from storage.subscriptions import all_subscriptions
from storage.values.push import Ping, Subscription

_TOKEN = "^[A-Za-z0-9_-]{16,64}$"  # noqa: S105 - what one looks like
_TEXT = "text/plain; charset=utf-8"
_NOT_KEPT = {"Cache-Control": "no-store"}


def add_websub(app: FastAPI, ledger: Ledger, mailbox: Mailbox | None) -> None:
    """Add the routes. Without a ``mailbox`` nothing was asked for, and every callback is gone."""

    @app.api_route("/websub", methods=["GET", "HEAD"])
    async def push_status(response: Response) -> dict[str, object]:
        """How subscriptions at hubs are doing, and what our own hubs were told."""
        response.headers["Cache-Control"] = "no-cache"
        subscriptions = await ledger.read(all_subscriptions)
        return {
            "subscriptions": [shown_subscription(*found) for found in subscriptions],
            "pings": [shown_ping(ping) for ping in await ledger.read(all_pings)],
        }

    @app.get("/websub/{token}")
    async def question(request: Request, token: Annotated[str, Path(pattern=_TOKEN)]) -> Response:
        """A hub asks whether a subscription is wanted, or says that there is none."""
        owner = await mailbox.owner(token) if mailbox else None
        if mailbox is None or owner is None:
            return _plain(404, "not asked for")
        with mailbox.turnstile.entered(owner.id) as admitted:
            if not admitted:
                return _busy()
            answer = await mailbox.answer(owner, dict(request.query_params))
        return _plain(404, "not asked for") if answer is None else _plain(200, answer)

    @app.post("/websub/{token}")
    async def delivery(request: Request, token: Annotated[str, Path(pattern=_TOKEN)]) -> Response:
        """A hub delivers what is new."""
        owner = await mailbox.owner(token) if mailbox else None
        if mailbox is None or owner is None:
            return _plain(410, "not subscribed")
        with mailbox.turnstile.entered(owner.id) as admitted:
            if not admitted:
                return _busy()
            return await _receive(request, mailbox, owner)


async def _receive(request: Request, mailbox: Mailbox, owner: Subscription) -> Response:
    headers = request.headers
    if headers.get("content-encoding", "identity").lower() != "identity":
        return _plain(415, "send it without a content coding")
    try:
        async with asyncio.timeout(mailbox.seconds):
            body = await _body(request, mailbox.max_bytes)
    except (TimeoutError, ClientDisconnect):
        return _plain(408, "it did not arrive in time")
    if body is None:
        return _plain(413, f"send no more than {mailbox.max_bytes} bytes")
    taken = await mailbox.accept(
        owner,
        body,
        content_type=headers.get("content-type"),
        signature=headers.get("x-hub-signature"),
    )
    return _plain(202, "thank you") if taken else _busy()


async def _body(request: Request, limit: int) -> bytes | None:
    """The body; None where it is longer than ``limit`` bytes, counted as it comes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def _plain(status: int, text: str) -> Response:
    return Response(text, status, media_type=_TEXT, headers=_NOT_KEPT)


def _busy() -> Response:
    return Response(
        "too much at once", 503, media_type=_TEXT, headers=_NOT_KEPT | {"Retry-After": "60"}
    )


def shown_subscription(source: str, subscription: Subscription) -> dict[str, object]:
    """A subscription as anybody may see it: neither its token nor its secret."""
    return {
        "source": source,
        "hub": subscription.hub,
        "topic": subscription.topic,
        "state": subscription.state,
        "lease_until": subscription.lease_until,
        "next_attempt_at": subscription.next_attempt_at,
        "failures": subscription.failures,
        "last_error": subscription.last_error,
        "last_delivery_at": subscription.last_delivery_at,
        "deliveries": subscription.deliveries,
        "ignored": subscription.ignored,
    }


def shown_ping(ping: Ping) -> dict[str, object]:
    """What a hub was told of one of our documents."""
    return {
        "hub": ping.hub,
        "url": ping.url,
        "told": ping.told == ping.wanted,
        "last_told_at": ping.last_told_at,
        "next_attempt_at": None if ping.told == ping.wanted else ping.next_attempt_at,
        "failures": ping.failures,
        "last_error": ping.last_error,
    }
