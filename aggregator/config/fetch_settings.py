"""What fetches and reads: feeds, pages, hubs, child processes."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from aggregator.config.durations import Duration
from aggregator.config.networks import Network
from aggregator.config.requests import HttpUrl
from aggregator.config.table import Table

FullText = Literal["auto", "always", "never"]


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
