"""A feed to read, and how the pages of a site are read."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from aggregator.config.durations import Duration, reasonable_age
from aggregator.config.fetch_settings import FullText
from aggregator.config.requests import Headers, ProxyUrl, SourceUrl, UserAgent, UserName
from aggregator.config.selectors import Selector, Selectors
from aggregator.config.table import LANGUAGE, Table, host_name


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
