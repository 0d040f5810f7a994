"""A feed to serve."""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from aggregator.config.durations import Duration
from aggregator.config.entry_settings import TextFilter
from aggregator.config.table import Table

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


def _output_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("may hold lower-case letters, digits, - and _ only: it becomes an address")
    if value in _RESERVED:
        raise ValueError("is an address of the daemon's own; choose another name")
    return value


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
        "in the very same words as one that it shows already are left out.",
    )
    categories: tuple[str, ...] = Field((), description="Only stories of these categories.")
    languages: tuple[str, ...] = Field(
        (), description="Only stories in these languages; `en` is `en-GB` too."
    )
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
