"""Every setting, its type, its default and what it means. Reading them is ``config.py``'s work.

The descriptions are the documentation: ``docs/configuration.md`` is generated from them.
"""

import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    SecretStr,
    model_validator,
)

from aggregator.config.durations import Duration

FullText = Literal["auto", "always", "never"]
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_RESERVED = {
    "api",
    "healthz",
    "metrics",
    "opml",
    "readyz",
    "source",
    "sources",
    "static",
    "story",
    "websub",
}


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid or any(c.isspace() for c in value):
        raise ValueError("is not an http:// or https:// address")
    return value


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError('is not HOST:PORT, for example "127.0.0.1:8080" or "[::]:8080"')
    return value


def _output_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("may hold lower-case letters, digits, - and _ only: it becomes an address")
    if value in _RESERVED:
        raise ValueError("is an address of the daemon's own; choose another name")
    return value


def _network(value: object) -> IPv4Network | IPv6Network:
    if not isinstance(value, str):
        raise ValueError('is not a network; write for example "10.0.0.0/8"')
    try:
        network = ip_network(value)
    except ValueError as error:
        raise ValueError(f'is not a network: {error}; write for example "10.0.0.0/8"') from error
    if network.prefixlen == 0:
        raise ValueError("allows every address; name the networks your sources are on")
    return network


Network = Annotated[
    IPv4Network | IPv6Network, PlainValidator(_network), PlainSerializer(str, return_type=str)
]
HttpUrl = Annotated[str, AfterValidator(_http_url)]


class Table(BaseModel):
    """A table of the config file: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(Table):
    """Where the daemon listens and what its public address is."""

    listen: Annotated[str, AfterValidator(_listen)] = Field(
        "127.0.0.1:8080", description="Address and port to listen on."
    )
    base_url: HttpUrl = Field(
        "http://127.0.0.1:8080",
        description="The public address, as subscribers type it. Links in feeds start with it.",
    )
    title: str = Field("Newsfold", description="What the front page is called.", min_length=1)
    read_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Makes the whole site private: pages and feeds answer only with it, as "
        "`Authorization: Bearer TOKEN`, as the password a browser asks for, or as `?token=TOKEN`. "
        "Story pages then show full texts.",
    )
    hubs: tuple[HttpUrl, ...] = Field(
        (),
        description="WebSub hubs that outputs without a token name, and that are told when these "
        'change, so that subscribers need not poll. For example "https://pubsubhubbub.appspot.com/".',
    )
    max_connections: int = Field(
        1000,
        ge=10,
        description="Connections of clients open at once; beyond it the one idle longest is ended.",
    )
    client_timeout: Duration = Field(
        timedelta(seconds=30),
        description="Time that a client has to send a request, and between two; reading an answer "
        "may take that and a second for every 8 kB.",
    )


class StorageSettings(Table):
    """Where everything is remembered."""

    url: str = Field(
        "sqlite:///newsfold.db",
        description="`sqlite:///PATH` (relative to the config file) or "
        "`postgresql+psycopg://USER:PASSWORD@HOST/DATABASE`.",
    )


class FetchSettings(Table):
    """How feeds and pages are fetched."""

    allow_networks: tuple[Network, ...] = Field(
        (),
        description="Private networks that sources may be on, as CIDR. Everything that is not a "
        "public address is refused otherwise.",
    )
    min_interval: Duration = Field(
        timedelta(minutes=15), description="A feed is never polled more often than this."
    )
    max_interval: Duration = Field(
        timedelta(hours=24), description="A feed is polled at least this often, unless it fails."
    )
    host_interval: Duration = Field(
        timedelta(seconds=1), description="Pause between two requests to one registrable domain."
    )
    host_concurrency: int = Field(
        2, ge=1, le=64, description="Requests under way at once to one registrable domain."
    )
    concurrency: int = Field(50, ge=1, le=1000, description="Requests under way at once, in all.")
    timeout: Duration = Field(
        timedelta(seconds=30), description="Total time for one request, redirects and body."
    )
    max_bytes: int = Field(
        10 * 1024 * 1024, ge=1024, description="Largest decoded body that is read, in bytes."
    )
    contact: HttpUrl | None = Field(
        None,
        description="Address that the User-Agent names, so that publishers can reach you. "
        "Default: `server.base_url`.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_interval < self.min_interval:
            raise ValueError("max_interval is shorter than min_interval")
        return self


class WebSubSettings(Table):
    """Being told by hubs what is new (docs/websub.md)."""

    enabled: bool = Field(
        True,
        description="Subscribe where a feed names a hub, if hubs can reach `server.base_url`: it "
        "has to be a public address.",
    )
    poll_factor: int = Field(
        4,
        ge=1,
        le=100,
        description="While a hub delivers, its feed is polled so many times less often; never less "
        "often than `fetch.max_interval`.",
    )


class MetricsSettings(Table):
    """Who may read `/metrics` (docs/operating.md)."""

    allow_networks: tuple[Network, ...] = Field(
        (ip_network("127.0.0.0/8"), ip_network("::1/128")),
        description="Networks that need no token. What came through a proxy always needs it.",
    )
    token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Anybody with it may read them, as `Authorization: Bearer TOKEN`.",
    )


class ExtractSettings(Table):
    """How articles are read, and what a child process may use doing it."""

    full_text: FullText = Field(
        "auto",
        description="Whether article pages are fetched: `always`, `never` (the feed's text is all) "
        "or `auto` (where the feed itself does not carry the text).",
    )
    workers: int = Field(2, ge=1, le=64, description="Child processes that parse and extract.")
    timeout: Duration = Field(
        timedelta(seconds=20), description="A child that works longer on one document is killed."
    )
    memory: int = Field(1024, ge=128, description="Memory that a child process may take, in MiB.")


class SourceSettings(Table):
    """One feed to read."""

    url: HttpUrl = Field(description="Address of the feed.")
    name: str | None = Field(
        None, min_length=1, max_length=200, description="Default: the registrable domain."
    )
    category: str | None = Field(None, min_length=1, max_length=100, description="For outputs.")
    publisher: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Who publishes it: sources of one publisher count as one outlet. "
        "Default: the registrable domain of the address.",
    )
    language: str | None = Field(
        None,
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
        description="BCP 47 language of the articles, where feed and pages do not say.",
    )
    priority: int = Field(0, ge=-100, le=100, description="Higher leads a story.")
    enabled: bool = Field(True, description="false stops polling; articles stay.")
    full_text: FullText | None = Field(None, description="Default: `extract.full_text`.")


class OutputSettings(Table):
    """One merged feed: `/NAME.atom`, `/NAME.rss`, `/NAME.json`."""

    name: Annotated[str, AfterValidator(_output_name)] = Field(description="Name in the address.")
    title: str | None = Field(None, min_length=1, description="Default: server.title and the name.")
    categories: tuple[str, ...] = Field((), description="Only stories of these categories.")
    languages: tuple[str, ...] = Field((), description="Only stories in these languages.")
    min_outlets: int = Field(
        1, ge=1, description="Only stories that so many independent outlets tell."
    )
    limit: int = Field(100, ge=1, le=1000, description="Entries in the feed.")
    content: Literal["summary", "full"] = Field(
        "summary", description="`full` republishes whole articles and needs a token."
    )
    token: SecretStr | None = Field(
        None,
        min_length=16,
        description="With it, the output answers only at `/NAME.atom?token=TOKEN`.",
    )

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if self.content == "full" and self.token is None:
            raise ValueError(
                'content = "full" republishes others\' articles: set a token (16 characters or '
                'more), or content = "summary"'
            )
        return self


class Settings(Table):
    """The whole configuration."""

    include: tuple[str, ...] = Field(
        (),
        description="Further files with `[[source]]` tables, relative to this one. A name that "
        'starts with "seeds/" and is not found there is a starter list that comes with Newsfold.',
    )
    server: ServerSettings = Field(default_factory=ServerSettings)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    fetch: FetchSettings = Field(default_factory=FetchSettings)
    websub: WebSubSettings = Field(default_factory=WebSubSettings)
    extract: ExtractSettings = Field(default_factory=ExtractSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    source: tuple[SourceSettings, ...] = Field((), description="The feeds to read.")
    output: tuple[OutputSettings, ...] = Field((), description="The feeds to serve.")

    def outputs(self) -> tuple[OutputSettings, ...]:
        """The configured outputs, or the one called ``feed`` that stands in for none."""
        return self.output or (OutputSettings(name="feed", title=self.server.title),)


class SourceList(Table):
    """An included file: sources only."""

    source: tuple[SourceSettings, ...] = ()
