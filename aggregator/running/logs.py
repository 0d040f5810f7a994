"""How the daemon logs: one line per outcome, the same keys everywhere, no texts, no secrets.

What libraries have to say through ``logging`` or ``warnings`` comes out in the same form, with the
key ``logger``. What each line means is in docs/operating.md, which a test holds against the calls.
"""

import logging
import sys
from collections.abc import Iterable

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from aggregator.running.redaction import Redaction

KEYS = ("source", "entry", "article", "story", "outcome", "seconds")
"""The keys that mean the same in every line, in the order in which they stand."""
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
# Below these it is not the operator's business: uvicorn warns of every request that is none, which
# anybody can send; the readers of pages of every odd page, whose reading says so itself.
_LIBRARIES = {
    "uvicorn": logging.ERROR,
    "trafilatura": logging.CRITICAL,
    "htmldate": logging.CRITICAL,
    "apscheduler": logging.ERROR,
}


def configure_logs(*, json: bool, level: str = "info", secrets: Iterable[str] = ()) -> None:
    """Log to standard error, as JSON lines or as lines for people; ``secrets`` are masked.

    May be called again, when the configuration has changed.
    """
    began: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ended: list[Processor] = [
        structlog.processors.format_exc_info,
        Tidy(Redaction(secrets)),
        _renderer(json=json),
    ]
    structlog.configure(
        processors=[*began, *ended],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*began, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ended],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(LEVELS[level], logging.WARNING))
    for name, least in _LIBRARIES.items():
        logging.getLogger(name).setLevel(least)
    logging.captureWarnings(capture=True)


def _renderer(*, json: bool) -> Processor:
    if json:
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        sort_keys=False,
        # The others print local variables too, and with them tokens and passwords.
        exception_formatter=structlog.dev.plain_traceback,
    )


class Tidy:
    """Puts the keys of a line in order, leaves out those without a value, and cleans the values."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction

    def __call__(self, _: WrappedLogger, __: str, line: EventDict) -> EventDict:
        """The line, tidied."""
        first = ("timestamp", "level", "event", *KEYS)
        keys = [*(key for key in first if key in line), *(key for key in line if key not in first)]
        told = (key for key in keys if line[key] is not None and line[key] != "")
        return {key: self._value(key, line[key]) for key in told}

    def _value(self, key: str, value: object) -> object:
        if isinstance(value, bool | int | float):
            return value
        clean = self._redaction.traceback if key == "exception" else self._redaction.text
        return clean(str(value))
