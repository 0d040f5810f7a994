"""Settings about entries on their way in: what is looked for in them, rules, whose sources are."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from aggregator.config.table import LANGUAGE, Table, host_name
from aggregator.text_rules import Place, Rule, compile_keyword, compile_pattern


class TextFilter(Table):
    """A keyword or a regular expression to look for, and where."""

    keyword: str | None = None
    regex: str | None = None
    place: Literal["anywhere", "title", "text"] = Field("anywhere", alias="in")

    @model_validator(mode="before")
    @classmethod
    def _from_keyword(cls, value: object) -> object:
        return {"keyword": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _compiles(self) -> Self:
        if (self.keyword is None) == (self.regex is None):
            raise ValueError('needs either keyword = "..." or regex = "..."')
        try:
            self.rule()
        except ValueError as error:
            wrong = self.keyword if self.regex is None else self.regex
            raise ValueError(f"{wrong!r} {error}") from error
        return self

    def rule(self) -> Rule:
        """What it looks for, compiled."""
        compiled = (
            compile_pattern(self.regex) if self.regex else compile_keyword(self.keyword or "")
        )
        return Rule(compiled, self.place)


class EntryFilter(TextFilter):
    """The same in an entry of a feed, which has an address too."""

    place: Place = Field("anywhere", alias="in")  # type: ignore[assignment]  # one place more


class RuleSettings(Table):
    """What is done with entries on their way in. From top to bottom; see [Rules](#rules)."""

    name: str | None = Field(
        None, min_length=1, max_length=100, description='Default: its place, as in "rule 3".'
    )
    sources: tuple[str, ...] = Field(
        (), description="Only entries of these sources (by name or address)."
    )
    categories: tuple[str, ...] = Field((), description="Only of sources in these categories.")
    match: tuple[EntryFilter, ...] = Field(
        (),
        description="Only entries in which one of these is found: written like `include` of an "
        "output, and `in` may be `url` too.",
    )
    action: Literal["drop", "keep"] | None = Field(
        None,
        description="`drop`: it is left out for good. `keep`: no `drop` below it holds.",
    )
    category: str | None = Field(
        None, min_length=1, max_length=100, description="In place of its source's."
    )
    language: str | None = Field(
        None, pattern=LANGUAGE, description="BCP 47, whatever feed and page say."
    )
    publisher: str | None = Field(
        None, min_length=1, max_length=200, description="In place of its source's."
    )
    never_fold: bool = Field(
        False, description="It stays alone: nothing joins it, and it joins nothing."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        sets = [self.category, self.language, self.publisher, self.never_fold or None]
        if self.action is None and not any(sets):
            raise ValueError(
                'does nothing: give it action = "drop" or "keep", or one of category, language, '
                "publisher, never_fold"
            )
        if self.action == "drop" and any(sets):
            raise ValueError("drops the entry: nothing else can be set of it")
        if not (self.sources or self.categories or self.match):
            raise ValueError("would hold for every entry: give it sources, categories or match")
        return self


def _domain(value: str) -> str:
    from feeds.urls import registrable_domain  # noqa: PLC0415 - heavy; check shall be quick

    if registrable_domain(f"https://{host_name(value)}/") != value:
        raise ValueError('is not a registrable domain; write for example "bbc.co.uk"')
    return value


class PublisherSettings(Table):
    """Sources of one publisher, which count as one outlet. A source's own `publisher` wins."""

    name: str = Field(min_length=1, max_length=200, description="What it is called.")
    sources: tuple[str, ...] = Field((), description="Its sources (by name or address).")
    domains: tuple[Annotated[str, AfterValidator(_domain)], ...] = Field(
        (), description="Registrable domains of its sources' addresses."
    )

    @model_validator(mode="after")
    def _has_sources(self) -> Self:
        if not (self.sources or self.domains):
            raise ValueError("has no sources: give it sources or domains")
        return self
