"""Every setting, its type, its default and what it means. Reading them is ``config.py``'s work.

The descriptions are the documentation: ``docs/configuration.md`` is generated from them.
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    SecretStr,
    field_validator,
    model_validator,
)

from aggregator.config.durations import Duration
from aggregator.config.entry_settings import PublisherSettings, RuleSettings, TextFilter
from aggregator.config.requests import (
    Headers,
    HttpUrl,
    ProxyUrl,
    SourceUrl,
    UserAgent,
    UserName,
)
from aggregator.config.selectors import Selector, Selectors
from aggregator.config.table import LANGUAGE, Table, host_name
from feeds.http.guard import Guard

FullText = Literal["auto", "always", "never"]
Role = Literal["poll", "extract", "fold", "web"]
ROLES: tuple[Role, ...] = ("poll", "extract", "fold", "web")
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
    "status",
    "story",
    "websub",
}


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError('is not HOST:PORT, for example "127.0.0.1:8080" or "[::]:8080"')
    return value


def _roles(value: object) -> object:
    """A list, or its words with commas between, as on the command line and in the environment."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, Sequence):
        return words
    named = [word.strip() if isinstance(word, str) else word for word in words]
    return tuple(role for role in ROLES if role in named) if set(named) <= set(ROLES) else named


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
    Guard((network,))  # says what is too wide
    return network


Network = Annotated[
    IPv4Network | IPv6Network, PlainValidator(_network), PlainSerializer(str, return_type=str)
]


def _server_name(value: str) -> str:
    if value != "*" and not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.?", value):
        raise ValueError('is not a host name; write for example "news.example.org", without port')
    return value


ServerName = Annotated[str, AfterValidator(_server_name)]
Roles = Annotated[tuple[Role, ...], BeforeValidator(_roles)]


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
    max_head_bytes: int = Field(
        32 * 1024,
        ge=1024,
        description="Request line and headers that a client may send, in bytes. Bodies, which only "
        "hubs send, may be as long as `fetch.max_bytes`.",
    )
    max_requests: int = Field(
        8,
        ge=2,
        le=1000,
        description="Requests worked on at once, half of them for one client; others wait for "
        "their turn, clients in rotation, and get 503 after ten seconds. First documents of "
        "outputs are answered without waiting.",
    )
    token_attempts: int = Field(
        20,
        ge=1,
        description="Wrong tokens that a client may show in a minute before it has to wait (429). "
        "Nobody else waits, nor whoever had the right one from the same address before.",
    )
    hosts: tuple[ServerName, ...] = Field(
        (),
        description="Names, beside that of `base_url`, under which the site is asked. Requests for "
        "others get 421; addresses, names without a dot, `*.local` and the like need not be named. "
        '`["*"]` answers for any name.',
    )
    trusted_proxies: tuple[Network, ...] = Field(
        (),
        description="Networks of proxies in front. What comes from them is counted by the client "
        "that `X-Forwarded-For` names; without this, all who come through a proxy count as one.",
    )


class StorageSettings(Table):
    """Where everything is remembered."""

    url: str = Field(
        "sqlite:///newsfold.db",
        repr=False,
        description="`sqlite:///PATH` (relative to the config file) or "
        "`postgresql+psycopg://USER:PASSWORD@HOST/DATABASE`.",
    )
    url_file: str | None = Field(None, description="File that holds `url`.")


class RetentionSettings(Table):
    """How long articles are kept. What was dropped does not come back as new."""

    max_age: Duration = Field(
        timedelta(days=90),
        description="Articles that arrived longer ago are dropped, and archives of outputs that "
        'were closed longer ago. `"0s"`: never.',
    )
    max_articles: int = Field(
        1_000_000, ge=0, description="Only so many of the newest articles are kept. 0: all."
    )
    max_articles_per_source: int = Field(
        0, ge=0, description="Only so many of the newest articles of each source. 0: all."
    )
    max_archives: int = Field(
        1000, ge=0, description="Only so many of the newest archives of each output. 0: all."
    )

    @field_validator("max_age")
    @classmethod
    def _reasonable(cls, value: timedelta) -> timedelta:
        return reasonable_age(value)


def reasonable_age(value: timedelta) -> timedelta:
    """An age to be dropped at: long enough to have been published and read."""
    if value and value < timedelta(days=1):
        raise ValueError('is shorter than a day; "0s" is for ever')
    return value


class LogSettings(Table):
    """What is logged, to standard error (docs/operating.md)."""

    format: Literal["console", "json"] = Field(
        "console", description="`console`: lines for people; `json`: an object in each line."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info",
        description="`debug`: every article too; `info`: every poll and what came of it; "
        "`warning`: what is wrong; `error`: what somebody has to see to.",
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
    retry_after: Literal["host", "source"] = Field(
        "host",
        description="Whom a `Retry-After` holds off: every source of the host, or the one it met.",
    )
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
        "or `auto` (each source teaches whether its pages give more than its feed).",
    )
    workers: int = Field(2, ge=1, le=64, description="Child processes that parse and extract.")
    timeout: Duration = Field(
        timedelta(seconds=20), description="A child that works longer on one document is killed."
    )
    memory: int = Field(1024, ge=128, description="Memory that a child process may take, in MiB.")


class ProcessSettings(Table):
    """What this process does, where several share a PostgreSQL database (docs/scaling.md)."""

    roles: Roles = Field(
        ROLES,
        min_length=1,
        description="Any of `poll`, `extract`, `fold` and `web`; `newsfold run --roles` goes "
        "before it.",
    )
    listen: Annotated[str, AfterValidator(_listen)] | None = Field(
        None,
        description="Where a process without the role `web` answers `/healthz`, `/readyz` and "
        "`/metrics`. Default: nowhere.",
    )


class SourceSettings(Table):
    """One feed to read."""

    url: SourceUrl = Field(description="Address of the feed.")
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
        pattern=LANGUAGE,
        description="BCP 47 language of the articles, where feed and pages do not say.",
    )
    priority: int = Field(0, ge=-100, le=100, description="Higher leads a story.")
    enabled: bool = Field(True, description="false stops polling; articles stay.")
    full_text: FullText | None = Field(None, description="Default: `extract.full_text`.")
    select: Selectors = Field(
        (), description="CSS selectors of what holds the article on its pages. Also: `[[site]]`."
    )
    remove: Selectors = Field(
        (), description="CSS selectors of what is dropped from its pages before they are read."
    )
    next_page: Selector | None = Field(
        None, description="CSS selector of the link to an article's next page."
    )
    title_prefixes: tuple[str, ...] = Field(
        (), description='Taken off the beginning of its titles, such as `"BREAKING: "`.'
    )
    title_suffixes: tuple[str, ...] = Field(
        (), description='Taken off their end, such as `" | Example Times"`.'
    )
    interval: Duration | None = Field(
        None,
        gt=timedelta(0),
        description="Polled so often, in place of its own rhythm and of `fetch.min_interval` and "
        "`fetch.max_interval`. What server and feed ask for is kept.",
    )
    max_age: Duration | None = Field(
        None, description='Default: `retention.max_age`. `"0s"`: its articles stay for ever.'
    )
    max_articles: int | None = Field(
        None, ge=0, description="Default: `retention.max_articles_per_source`. 0: all are kept."
    )
    username: UserName | None = Field(
        None,
        min_length=1,
        description="For basic authentication. Sent to the origin of `url` only.",
    )
    password: SecretStr | None = Field(None, description="Goes with `username`.")
    password_file: str | None = Field(None, description="File that holds `password`.")
    headers: Headers = Field(
        default_factory=dict,
        description='Further request headers: `{ X-Key = "abc" }`. Sent to the origin of `url` '
        "only.",
    )
    headers_file: str | None = Field(
        None, description="File that holds `headers`, as `Name: value` lines."
    )
    user_agent: UserAgent | None = Field(
        None, min_length=1, description="User-Agent for this source, in place of Newsfold's own."
    )
    proxy: ProxyUrl | None = Field(
        None, description="HTTP proxy for its feed and pages: `http://USER:PASSWORD@HOST:PORT`."
    )
    proxy_file: str | None = Field(None, description="File that holds `proxy`.")
    timeout: Duration | None = Field(
        None,
        gt=timedelta(0),
        le=timedelta(minutes=10),
        description="Default: `fetch.timeout`.",
    )
    host_interval: Duration | None = Field(None, description="Default: `fetch.host_interval`.")
    retry_after: Literal["host", "source"] | None = Field(
        None, description="Default: `fetch.retry_after`."
    )
    tls_verify: bool = Field(
        True,
        description="false reads the feed from a server that cannot prove who it is. Anybody on "
        "the way can then read and change it; Newsfold says so at every start.",
    )

    @field_validator("max_age")
    @classmethod
    def _reasonable(cls, value: timedelta | None) -> timedelta | None:
        return None if value is None else reasonable_age(value)

    @model_validator(mode="after")
    def _authenticated(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together; one of them is missing")
        return self

    @property
    def label(self) -> str:
        """What the source is called before it was ever read."""
        from feeds.urls import registrable_domain  # noqa: PLC0415 - heavy; check shall be quick

        return self.name or registrable_domain(self.url)


class SiteSettings(Table):
    """How the pages of one site are read, whichever source links to them; a source's rules win."""

    host: Annotated[str, AfterValidator(host_name)] = Field(
        description="`example.org` stands for its subdomains too; the longest that fits counts."
    )
    select: Selectors = Field((), description="CSS selectors of what holds the article.")
    remove: Selectors = Field(
        (), description="CSS selectors of what is dropped before anything is read."
    )
    next_page: Selector | None = Field(
        None, description="CSS selector of the link to an article's next page."
    )


class OutputSettings(Table):
    """One merged feed: `/NAME.atom`, `/NAME.rss`, `/NAME.json`."""

    name: Annotated[str, AfterValidator(_output_name)] = Field(description="Name in the address.")
    title: str | None = Field(None, min_length=1, description="Default: server.title and the name.")
    subtitle: str | None = Field(
        None, min_length=1, description="Default: what the filters say, in a sentence."
    )
    fold: bool = Field(
        True,
        description="false: articles instead of stories, each with its source's own id; only those "
        "in the very same words as an earlier one are left out.",
    )
    categories: tuple[str, ...] = Field((), description="Only stories of these categories.")
    languages: tuple[str, ...] = Field((), description="Only stories in these languages.")
    sources: tuple[str, ...] = Field(
        (), description="Only stories that one of these sources (by name or address) tells."
    )
    exclude_sources: tuple[str, ...] = Field(
        (), description="No stories that one of these sources leads."
    )
    include: tuple[TextFilter, ...] = Field(
        (),
        description="Only stories in which one of these is found: a keyword or phrase "
        '(`"earthquake"`, `"quake*"`), or `{regex = "...", in = "title"}`; `in` is `title`, `text` '
        "or `anywhere`. See [Filters by words](#filters-by-words).",
    )
    exclude: tuple[TextFilter, ...] = Field(
        (), description="No stories in which one of these is found; written like `include`."
    )
    min_outlets: int = Field(
        1, ge=1, description="Only stories that so many independent outlets tell."
    )
    max_age: Duration | None = Field(
        None, description="Nothing that was first published longer ago."
    )
    settle: Duration = Field(
        timedelta(0),
        description="A story is published so long after it was first seen, with what coverage "
        "it has gathered by then.",
    )
    order: Literal["newest", "covered"] = Field(
        "newest",
        description="`newest`: the story published last comes first. `covered`: the one that "
        "most outlets tell, of the newest thousand.",
    )
    per_source: int | None = Field(
        None,
        ge=1,
        description="So many entries at most that one source leads, before `limit` is applied.",
    )
    limit: int = Field(100, ge=1, le=1000, description="Entries in the feed.")
    max_bytes: int = Field(
        1_000_000,
        ge=10_000,
        description="A document that would be larger goes on on another page (RFC 5005).",
    )
    content: Literal["summary", "full"] = Field(
        "summary",
        description="`full` republishes whole articles and needs a token, or `republish = true`.",
    )
    republish: bool = Field(
        False,
        description="true: you have the right to show everybody whole articles, without a token.",
    )
    token: SecretStr | None = Field(
        None,
        min_length=16,
        description="With it, the output answers only at `/NAME.atom?token=TOKEN`.",
    )
    token_file: str | None = Field(None, description="File that holds `token`.")

    @property
    def rolling(self) -> bool:
        """Whether it shows a changing choice rather than all it ever published, in order."""
        return bool(self.max_age or self.per_source or self.order != "newest")

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if self.content == "full" and self.token is None and not self.republish:
            raise ValueError(
                'content = "full" republishes others\' articles: set a token (16 characters or '
                'more), or content = "summary"; republish = true if you may show them to everybody'
            )
        return self

    @model_validator(mode="after")
    def _of_stories(self) -> Self:
        if not self.fold and (self.min_outlets > 1 or self.settle or self.order == "covered"):
            raise ValueError(
                "fold = false shows articles, which no coverage is counted for: leave out "
                'min_outlets, settle and order = "covered"'
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
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    fetch: FetchSettings = Field(default_factory=FetchSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    websub: WebSubSettings = Field(default_factory=WebSubSettings)
    extract: ExtractSettings = Field(default_factory=ExtractSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    process: ProcessSettings = Field(default_factory=ProcessSettings)
    source: tuple[SourceSettings, ...] = Field((), description="The feeds to read.")
    site: tuple[SiteSettings, ...] = Field((), description="Rules for the pages of single sites.")
    publisher: tuple[PublisherSettings, ...] = Field((), description="Groups of sources.")
    rule: tuple[RuleSettings, ...] = Field((), description="Rules for entries on their way in.")
    output: tuple[OutputSettings, ...] = Field((), description="The feeds to serve.")

    def outputs(self) -> tuple[OutputSettings, ...]:
        """The configured outputs, or the one called ``feed`` that stands in for none."""
        return self.output or (OutputSettings(name="feed", title=self.server.title),)


class SourceList(Table):
    """An included file: sources only."""

    source: tuple[SourceSettings, ...] = ()
