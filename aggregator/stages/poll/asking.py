"""How each source is asked: its own request settings over those for all. Pure.

They stand in the configuration only, so that no secret is ever stored; each process reads its own.
"""

from aggregator.config.fetch_settings import FetchSettings
from aggregator.config.settings import Settings
from aggregator.config.source_settings import SourceSettings
from aggregator.stages.poll.schedule import Politeness
from feeds.model import FetchRequest, Validators
from feeds.urls import same_origin

_FEED = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
)
_PAGE = "text/html, application/xhtml+xml, */*;q=0.1"


class Asking:
    """Makes the requests for feeds and pages.

    A source is named by the address that stands in the configuration, wherever it is read now.
    """

    def __init__(self, settings: Settings) -> None:
        self._fetch = settings.fetch
        self._sources = {source.url: source for source in settings.source}

    def feed(
        self, source_url: str, feed_url: str, validators: Validators | None = None
    ) -> FetchRequest:
        """The request for a feed, which is read at ``feed_url`` now."""
        return self._request(source_url, feed_url, _FEED, validators)

    def page(self, source_url: str, page_url: str) -> FetchRequest:
        """The request for the page of one of the source's articles."""
        return self._request(source_url, page_url, _PAGE)

    def pause(self, source_url: str) -> float:
        """Seconds between two requests to the source's domain."""
        own = self._own(source_url).host_interval
        return (self._fetch.host_interval if own is None else own).total_seconds()

    def politeness(self, source_url: str) -> Politeness:
        """How the source may be polled."""
        return politeness(self._fetch, self._own(source_url))

    def _own(self, source_url: str) -> SourceSettings:
        return self._sources.get(source_url) or SourceSettings.model_construct(url=source_url)

    def _request(
        self, source_url: str, url: str, accept: str, validators: Validators | None = None
    ) -> FetchRequest:
        own, fetch = self._own(source_url), self._fetch
        # The source may have moved, and its articles may be anywhere: what was trusted to the
        # configured address is nobody else's.
        at_home = url == own.url or same_origin(own.url, url)
        return FetchRequest(
            url,
            validators=validators,
            accept=accept,
            headers=_headers(own) if at_home else {},
            basic_auth=_credentials(own) if at_home else None,
            user_agent=own.user_agent,
            proxy=own.proxy.get_secret_value() if own.proxy else None,
            verify_tls=own.tls_verify or not at_home,
            timeout=(own.timeout or fetch.timeout).total_seconds(),
            max_bytes=fetch.max_bytes,
        )


def politeness(fetch: FetchSettings, own: SourceSettings) -> Politeness:
    """The scheduler's limits for a source. Its own interval goes before the limits for all."""
    least, most = fetch.min_interval.total_seconds(), fetch.max_interval.total_seconds()
    fixed = own.interval.total_seconds() if own.interval is not None else None
    return Politeness(
        min_interval=least if fixed is None else min(least, fixed),
        max_interval=most if fixed is None else max(most, fixed),
        interval=fixed,
        retry_after_scope=own.retry_after or fetch.retry_after,
    )


def _headers(own: SourceSettings) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in own.headers.items()}


def _credentials(own: SourceSettings) -> tuple[str, str] | None:
    if own.username is None or own.password is None:
        return None
    return own.username, own.password.get_secret_value()
