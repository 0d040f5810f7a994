"""Which of the operator's page rules hold for a page. Pure."""

from urllib.parse import urlsplit

from aggregator.config.settings import Settings
from aggregator.config.source_settings import SiteSettings
from feeds.page.page_rules import PageRules


class SiteRules:
    """The rules of a configuration.

    A source is named by the address that stands in the configuration, wherever it is read now.
    """

    def __init__(self, settings: Settings) -> None:
        self._sources = {source.url: source for source in settings.source}
        self._sites = sorted(settings.site, key=lambda site: -len(site.host))

    def of(self, source_url: str, page_url: str) -> PageRules | None:
        """The rules for a source's page at its final address; None where there are none.

        What the source says counts before what the site says; both have their parts removed.
        """
        tables = [t for t in (self._sources.get(source_url), self._site(page_url)) if t]
        rules = PageRules(
            select=next((table.select for table in tables if table.select), ()),
            remove=tuple(selector for table in tables for selector in table.remove),
            next_page=next((table.next_page for table in tables if table.next_page), None),
        )
        return None if rules == PageRules() else rules

    def _site(self, page_url: str) -> SiteSettings | None:
        host = f".{urlsplit(page_url).hostname or ''}"
        return next((site for site in self._sites if host.endswith(f".{site.host}")), None)
