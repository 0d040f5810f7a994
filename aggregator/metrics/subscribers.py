"""How many people read an output through a service, as the service says in its User-Agent.

Feedly, Feedbin, Inoreader, NewsBlur, The Old Reader and others fetch once for all their users and
name their number: ``Feedly/1.0 (+https://feedly.com/fetcher.html; 16 subscribers; …)``. It is their
word, and anybody can say it, so it is bounded here and believed nowhere.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

EXPIRES = timedelta(days=1)
"""After which a service that no longer comes has no subscribers."""
MOST_CLIENTS = 50
"""Services remembered of one document; newcomers beyond are not."""
_MOST_READ = 1000
_COUNT = re.compile(r"(?<!\d)(\d{1,9})\s+(?:subscribers?|readers?)\b", re.IGNORECASE | re.ASCII)
_BROWSER = re.compile(r"mozilla/[\d.]+\s*\((?:compatible;)?\s*", re.IGNORECASE)
_NAME = re.compile(r"[a-z][a-z0-9._ -]{0,38}[a-z0-9]", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Reported:
    """What a service said: its name, and how many of its users subscribe."""

    client: str
    subscribers: int


def reported(user_agent: str) -> Reported | None:
    """What a User-Agent says of subscribers; None where it says nothing."""
    user_agent = user_agent[:_MOST_READ]
    count = _COUNT.search(user_agent)
    if count is None:
        return None
    name = _NAME.match(_BROWSER.sub("", user_agent, count=1))
    if name is None:
        return None
    client = re.split(r"\s+(?:feed|fetcher|bot)|\s+-", name[0].lower())[0]
    return Reported(client.removeprefix("www.").removesuffix(".com"), int(count[1]))


@dataclass(slots=True)
class Subscribers:
    """The last report of each service about each document; for a day."""

    _heard: dict[tuple[str, str], dict[str, tuple[datetime, int]]] = field(default_factory=dict)

    def heard(self, output: str, form: str, user_agent: str, now: datetime) -> None:
        """A document was asked for."""
        report = reported(user_agent)
        if report is None:
            return
        clients = self._heard.setdefault((output, form), {})
        if report.client not in clients and len(clients) >= MOST_CLIENTS:
            _forget(clients, now)
            if len(clients) >= MOST_CLIENTS:
                return
        clients[report.client] = now, report.subscribers

    def standing(self, now: datetime) -> Iterator[tuple[str, str, str, int]]:
        """Output, format, service and number of subscribers, of those heard within a day."""
        for (output, form), clients in self._heard.items():
            _forget(clients, now)
            for client, (_, count) in clients.items():
                yield output, form, client, count


def _forget(clients: dict[str, tuple[datetime, int]], now: datetime) -> None:
    for client in [one for one, (at, _) in clients.items() if now - at >= EXPIRES]:
        del clients[client]
