"""The network as configured: the guarded client, and the turns at hosts."""

from aggregator.config.settings import Settings
from aggregator.version import VERSION
from feeds.http.fetch import HttpFetcher
from feeds.http.guard import Guard
from feeds.http.pacing import Pacer


def pacer_of(settings: Settings) -> Pacer:
    """What gives out the turns at hosts."""
    fetch = settings.fetch
    return Pacer(
        interval=fetch.host_interval.total_seconds(),
        per_host=fetch.host_concurrency,
        total=fetch.concurrency,
    )


def fetcher_of(settings: Settings) -> HttpFetcher:
    """The guarded client; to be opened."""
    contact = settings.fetch.contact or settings.server.base_url
    return HttpFetcher(
        Guard(settings.fetch.allow_networks), user_agent=f"newsfold/{VERSION} (+{contact})"
    )
