"""What publishers, hubs and subscribers say to each other (W3C Recommendation WebSub, 2018).

Pure: forms to send, questions that came, signatures. Nothing is fetched, remembered or decided
here. What a hub sends is bounded on the way in: it may be anybody who knows a callback.
"""

import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from feeds.urls import absolute_http_url

DEFAULT_LEASE = 10 * 86400
"""Seconds of a lease that is asked for, and assumed where a hub names none."""

MAX_CHALLENGE = 2000
_METHODS = frozenset({"sha1", "sha256", "sha384", "sha512"})
_SIGNATURE = re.compile(r"\s*([A-Za-z0-9]{1,10})=([0-9A-Fa-f]{40,128})\s*")
_SECONDS = re.compile(r"[0-9]{1,12}")
# RFC 8288, 3: a link and its parameters. Each part excludes what begins the next one, so that
# nothing is gone over twice.
_PARAMETER = r""";\s*([\w!#$&*+.^`|~-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s",;]+)))?"""
_PARAMETERS = re.compile(_PARAMETER)
_LINK = re.compile(rf"<([^<>]{{0,4000}})>((?:\s*{_PARAMETER})*)")
_MAX_HEADER = 16_000


@dataclass(frozen=True, slots=True)
class Advert:
    """What a document says of its hubs. ``topic`` is its own address, as hubs know it."""

    hubs: tuple[str, ...]
    topic: str


def advert(
    headers: Mapping[str, str], url: str, hubs: tuple[str, ...], self_url: str | None
) -> Advert | None:
    """The hubs of a document; None where it names none (WebSub, 4).

    ``Link`` headers come before what the document says itself (``hubs``, ``self_url``). One that
    does not name its own address is known by ``url``, where it was read.
    """
    links = list(link_targets(headers.get("link", ""), url))
    of_headers = tuple(dict.fromkeys(target for rel, target in links if rel == "hub"))
    found = of_headers or tuple(dict.fromkeys(hubs))
    if not found:
        return None
    topic = next((target for rel, target in links if rel == "self"), None)
    return Advert(found, topic or self_url or url)


def link_targets(header: str, url: str) -> Iterator[tuple[str, str]]:
    """Each relation and absolute address of a ``Link`` header (RFC 8288) of ``url``."""
    for link in _LINK.finditer(header[:_MAX_HEADER]):
        target = absolute_http_url(link[1], url)
        for name, quoted, plain in _PARAMETERS.findall(link[2]):
            if name.lower() == "rel" and target:
                yield from ((relation, target) for relation in (quoted or plain).lower().split())


def link_header(hubs: tuple[str, ...], self_url: str) -> str:
    """The ``Link`` header of a document that has ``hubs`` (WebSub, 4)."""
    return ", ".join([*(f'<{hub}>; rel="hub"' for hub in hubs), f'<{self_url}>; rel="self"'])


# --- what is sent -------------------------------------------------------------------------------


def subscription_form(topic: str, callback: str, secret: str) -> dict[str, str]:
    """Asks a hub for the changes of ``topic`` (WebSub, 5.1)."""
    return {
        "hub.mode": "subscribe",
        "hub.topic": topic,
        "hub.callback": callback,
        "hub.lease_seconds": str(DEFAULT_LEASE),
        "hub.secret": secret,
    }


def publish_form(url: str) -> dict[str, str]:
    """Tells a hub that ``url`` has changed, in the words that hubs have always understood.

    The Recommendation (section 6) leaves them to publisher and hub; PubSubHubbub 0.4 named them.
    """
    return {"hub.mode": "publish", "hub.url": url}


# --- what comes ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Intent:
    """A hub's question whether a subscription is wanted, or its word that there is none.

    ``lease`` in seconds; ``reason`` in the hub's words.
    """

    mode: Literal["subscribe", "denied"]
    topic: str
    challenge: str = ""
    lease: int = DEFAULT_LEASE
    reason: str = ""


def read_intent(query: Mapping[str, str]) -> Intent | None:
    """The intent in a request's query (WebSub, 5.2, 5.3); None for what is none we answer.

    That is everything else than ``subscribe`` and ``denied``: nothing else was ever asked for.
    """
    topic = query.get("hub.topic", "")
    challenge = query.get("hub.challenge", "")
    match query.get("hub.mode"):
        case "denied":
            return Intent("denied", topic, reason=_one_line(query.get("hub.reason", "")))
        case "subscribe" if 0 < len(challenge) <= MAX_CHALLENGE:
            seconds = query.get("hub.lease_seconds", "")
            lease = int(seconds) if _SECONDS.fullmatch(seconds) else 0
            return Intent("subscribe", topic, challenge, lease or DEFAULT_LEASE)
        case _:
            return None


def is_signed(body: bytes, signature: str | None, secret: str) -> bool:
    """Whether ``signature`` (``X-Hub-Signature``) is that of ``body`` (WebSub, 7.1).

    Compares in constant time.
    """
    found = _SIGNATURE.fullmatch(signature or "")
    if found is None or (method := found[1].lower()) not in _METHODS:
        return False
    return hmac.compare_digest(
        hmac.new(secret.encode(), body, method).hexdigest(), found[2].lower()
    )


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text[:200]).strip()
