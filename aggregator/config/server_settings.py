"""What serves: addresses, limits of clients, who may read metrics, a process's roles."""

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr

from aggregator.config.durations import Duration
from aggregator.config.networks import Listen, Network, ServerName
from aggregator.config.requests import HttpUrl
from aggregator.config.table import Table

Role = Literal["poll", "extract", "fold", "web"]
ROLES: tuple[Role, ...] = ("poll", "extract", "fold", "web")


def _roles(value: object) -> object:
    """A list, or its words with commas between, as on the command line and in the environment."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, Sequence):
        return words
    named = [word.strip() if isinstance(word, str) else word for word in words]
    return tuple(role for role in ROLES if role in named) if set(named) <= set(ROLES) else named


Roles = Annotated[tuple[Role, ...], BeforeValidator(_roles)]


class ServerSettings(Table):
    """Where the daemon listens and what its public address is."""

    listen: Listen = Field("127.0.0.1:8080", description="Address and port to listen on.")
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
        "change, so that subscribers need not poll; not where `read_token` is set. For example "
        '"https://pubsubhubbub.appspot.com/".',
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

    @property
    def public_hubs(self) -> tuple[str, ...]:
        """The hubs that may know of the site: none where only readers with a token do."""
        return () if self.read_token else self.hubs


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


class ProcessSettings(Table):
    """What this process does, where several share a PostgreSQL database (docs/scaling.md)."""

    roles: Roles = Field(
        ROLES,
        min_length=1,
        description="Any of `poll`, `extract`, `fold` and `web`; `newsfold run --roles` goes "
        "before it.",
    )
    listen: Listen | None = Field(
        None,
        description="Where a process without the role `web` answers `/healthz`, `/readyz` and "
        "`/metrics`. Default: nowhere.",
    )
