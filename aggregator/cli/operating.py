"""``newsfold status``, ``log``, ``poll``, ``doctor``: how an installation is doing.

They work beside a running daemon.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from aggregator.cli.tables import table
from aggregator.cli.words import (
    config_option,
    fail,
    json_option,
    or_fail,
    read_settings,
    show_json,
)
from aggregator.clock import utc_now
from aggregator.config.environment import process_environment

_MOST_ERRORS = 10
_RATES = ("", "POLLS", "FAILED", "NEW ENTRIES", "FOLDED", "STORIES BEGUN", "RECEIVED")


@click.command(short_help="How sources, queues and the database are doing.")
@config_option
@json_option
def status(config: Path, as_json: bool) -> None:
    """Say how sources, queues and the database are doing, also beside a running daemon.

    Sources are fine, failing (the last poll failed), gone (for good, as their server says), silent
    (longer without anything new than they ever were), unread (never polled yet) or off.

    Looks only, and changes nothing. The exit code is 0 whatever it finds: see newsfold doctor.
    """
    from aggregator.operating.opening import open_to_look  # noqa: PLC0415 - heavy
    from aggregator.operating.status import as_json as programs  # noqa: PLC0415 - heavy
    from aggregator.operating.status import read_status  # noqa: PLC0415 - heavy

    settings = read_settings(config, "status")

    def work() -> None:
        with open_to_look(settings) as database:
            found = read_status(database, settings.storage.url, utc_now())
        if as_json:
            show_json(programs(found))
        else:
            _show_status(found)

    or_fail(work)


def _show_status(found: Any) -> None:  # noqa: ANN401 - a Status, whose module is heavy
    from aggregator.operating import status as words  # noqa: PLC0415 - the same
    from aggregator.operating.amounts import size  # noqa: PLC0415 - heavy; --help shall be quick

    sizes = found.sizes
    held = f"{sizes.entries:,} entries, {sizes.articles:,} articles, {sizes.stories:,} stories"
    _show(
        table(
            [
                ("Daemon", words.daemon_in_words(found)),
                ("Database", f"{found.database}, {size(found.bytes)}: {held}"),
                ("Sources", words.sources_in_words(found)),
            ]
        )
    )
    _show(table(words.queue_rows(found), ("QUEUE", "WAITING", "OLDEST")))
    _show(table(words.rate_rows(found), _RATES))
    errors = table(
        words.error_rows(found, _MOST_ERRORS), ("LAST ERRORS", "SOURCE", "IN A ROW", "AGAIN", "")
    )
    _show(errors)
    more = len(words.troubled(found.sources)) - _MOST_ERRORS
    if more > 0:
        click.echo(f"and {more} more: newsfold status --json")
    if errors:
        click.echo("More of one: newsfold log SOURCE")


@click.command(short_help="What came of a source's last polls.")
@config_option
@click.argument("source", metavar="SOURCE")
@click.option(
    "-n",
    "--last",
    type=click.IntRange(1, 100),
    default=20,
    show_default=True,
    help="So many polls, the latest first.",
)
@json_option
def log(config: Path, source: str, last: int, as_json: bool) -> None:
    """Say what came of the last polls of SOURCE, which is a name or an address.

    The last hundred of each source are remembered. Also beside a running daemon.
    """
    from aggregator.operating import history  # noqa: PLC0415 - heavy; --help shall be quick
    from aggregator.operating.opening import open_to_look  # noqa: PLC0415 - the same

    settings = read_settings(config, "log")

    def work() -> None:
        with open_to_look(settings) as database:
            found = history.read_history(database, source, last)
        if as_json:
            show_json(history.as_json(found))
            return
        click.echo(f"{found.source.name}  {found.source.url}")
        if found.source.feed_url != found.source.url:
            click.echo(f"read at {found.source.feed_url} since it has moved there for good")
        click.echo(f"{history.plan_in_words(found, utc_now())}\n")
        _show(table(history.poll_rows(found), history.HEADS))
        _show(table(history.incident_rows(found), ("AT (UTC)", "HAPPENED", "")))

    or_fail(work)


@click.command(short_help="Poll a source now.")
@config_option
@click.argument("source", metavar="SOURCE")
def poll(config: Path, source: str) -> None:
    """Poll SOURCE, which is a name or an address, now, and say what came of it.

    Where a daemon runs it does the polling, and reads and folds what is new as ever. Where none
    does the command polls by itself; what is new then waits for newsfold run or newsfold update.
    The exit code is 1 where the source could not be read.
    """
    from aggregator.operating.polling_now import in_words, poll_now  # noqa: PLC0415 - the same
    from aggregator.running.logs import configure_logs  # noqa: PLC0415 - heavy; --help shall be quick

    configure_logs(json=False, level="error")
    settings = read_settings(config, "poll")

    def work() -> None:
        polled = poll_now(settings, source, lambda words: click.echo(words, err=True))
        said = in_words(polled, utc_now())
        if polled.failed:
            fail(said)
        click.echo(said)
        if polled.by_itself and polled.fetch.new_entries + polled.fetch.changed_entries:
            click.echo("Read and folded by: newsfold update", err=True)

    or_fail(work)


@click.command(short_help="Look for what is wrong, and say what to do.")
@config_option
@json_option
def doctor(config: Path, as_json: bool) -> None:
    """Look at configuration, database, disk, permissions, clock, network and public address.

    Says of each what was found, and what to do where something is wrong. Asks a few of the
    sources' hosts for their robots.txt, and the public address for its state; changes nothing.
    The exit code is 1 where something fails, 0 where there are warnings only.
    """
    from aggregator.operating.doctor import examine  # noqa: PLC0415 - heavy; --help shall be quick

    checks = examine(config, process_environment(), utc_now)
    if as_json:
        show_json({"checks": [check.as_json() for check in checks]})
    else:
        for check in checks:
            colour = {"ok": "green", "warning": "yellow", "failed": "red"}[check.state]
            mark = click.style(f"{check.state:<8}", fg=colour)
            click.echo(f"{mark}{check.about:<14}{_plain(check.found)}")
            if check.advice:
                click.echo(f"{'':<22}-> {_plain(check.advice)}")
    if any(check.state == "failed" for check in checks):
        sys.exit(1)


def _plain(text: str) -> str:
    return table([(text,)])[0]


def _show(lines: Sequence[str]) -> None:
    if lines:
        click.echo("\n".join(lines) + "\n")
