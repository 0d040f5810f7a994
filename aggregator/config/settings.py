"""The whole configuration: every table of it. Reading it is ``loading.py``'s work.

The descriptions are the documentation: ``docs/configuration.md`` is generated from them.
"""

from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator

from aggregator.config.durations import Duration, reasonable_age
from aggregator.config.entry_settings import PublisherSettings, RuleSettings
from aggregator.config.fetch_settings import ExtractSettings, FetchSettings, WebSubSettings
from aggregator.config.output_settings import OutputSettings
from aggregator.config.server_settings import MetricsSettings, ProcessSettings, ServerSettings
from aggregator.config.source_settings import SiteSettings, SourceSettings
from aggregator.config.table import Table


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
