"""Who publishes: the ids that documents and entries are known by, and their addresses. Pure."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from aggregator.config.output_settings import OutputSettings
from aggregator.config.settings import Settings
from feeds.writing.output_values import ascii_uri
from storage.values.publish import ArticleView

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


@dataclass(frozen=True, slots=True)
class Identity:
    """What the ids of outputs are minted from; settled at the first start and kept."""

    authority: str
    born: datetime

    def feed_id(self, name: str) -> str:
        """The lasting ``tag:`` URI (RFC 4151) of the output called ``name``."""
        return f"{self._tag()}:feed/{name}"

    def entry_id(self, article: ArticleView) -> str:
        """The id of an article by itself: its source's own, where that is a URI.

        Any other is good within its source only, and made a ``tag:`` URI.
        """
        if _URI.fullmatch(article.guid):
            with suppress(ValueError):  # "http://[", which no reader could compare
                return ascii_uri(article.guid)
        own = quote(article.guid or str(article.id), safe="")
        return f"{self._tag()}:entry/{article.source_id}/{own}"

    def incident_id(self, number: int) -> str:
        """The lasting ``tag:`` URI of an incident."""
        return f"{self._tag()}:incident/{number}"

    def _tag(self) -> str:
        return f"tag:{self.authority},{self.born:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the documents of an output are. ``query`` is what follows their question mark."""

    base: str
    name: str
    query: str = ""

    def page(self, number: int, form: str) -> str:
        """Page ``number``, from 1, which is the one that is subscribed to."""
        path = self.name if number == 1 else f"{self.name}/{number}"
        return self._url(path, form)

    def archive(self, number: int, form: str) -> str:
        """Closed archive ``number``, from 1, the eldest."""
        return self._url(f"{self.name}/archive/{number}", form)

    def _url(self, path: str, form: str) -> str:
        return f"{self.base}/{path}.{form}" + (f"?{self.query}" if self.query else "")


@dataclass(frozen=True, slots=True)
class Masthead:
    """What every document of this site shares. ``base_url`` has no slash at its end."""

    base_url: str
    title: str
    identity: Identity
    hubs: tuple[str, ...] = ()

    def addresses(self, output: OutputSettings, asked: str = "") -> Addresses:
        """The addresses of ``output``; ``asked`` is a further query, as from ``?q=``."""
        token = output.token.get_secret_value() if output.token else None
        query = "&".join(filter(None, (token and urlencode({"token": token}), asked)))
        return Addresses(self.base_url, output.name, query)


def masthead(settings: Settings, identity: Identity) -> Masthead:
    """The masthead of a site with these settings."""
    server = settings.server
    return Masthead(server.base_url.rstrip("/"), server.title, identity, server.public_hubs)
