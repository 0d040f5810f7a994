"""The command ``newsfold``: what an operator types. Words and exit codes; the work is elsewhere.

Exit codes: 0 done, 1 could not be done, 2 wrong usage or configuration.
"""

from pathlib import Path

import click

from aggregator.cli.extract import extract
from aggregator.cli.files import evaluate, fold_files, train_weights
from aggregator.cli.first import init
from aggregator.cli.operating import doctor, log, poll, status
from aggregator.cli.rules import rules
from aggregator.cli.sections import InSections
from aggregator.cli.sources import sources
from aggregator.cli.storage import backup, migrate_to, restore
from aggregator.cli.stories import corrections, explain, refold, story
from aggregator.cli.words import config_option, counted, or_fail, read_settings
from aggregator.config.environment import process_environment, variable
from aggregator.config.server_settings import ROLES
from aggregator.version import VERSION

_ROLES_VARIABLE = variable("process", "roles")


@click.group(
    cls=InSections,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96},
)
@click.version_option(VERSION, prog_name="newsfold")
def main() -> None:
    """Many feeds in, one entry per story out.

    Newsfold polls RSS, Atom and JSON feeds, reads each article, recognises which of them tell
    the same event, and serves one merged feed in which every story appears once.

    \b
    Try it, offline, on made-up news:   newsfold demo
    Begin with your own feeds:          newsfold init, then newsfold run
    See how it is doing:                newsfold status, newsfold doctor
    """  # noqa: D301 - \b is how click is told to keep lines


@main.command(short_help="Validate the configuration.")
@config_option
def check(config: Path) -> None:
    """Validate the configuration and say exactly what is wrong and where."""
    settings = read_settings(config, "check")
    outputs = ", ".join(f"/{output.name}.atom" for output in settings.outputs())
    click.echo(
        f"{config} is fine: {counted(settings.source, 'source')}, "
        f"{counted(settings.outputs(), 'output')} ({outputs})"
    )


def _known_roles(_context: click.Context, _option: click.Parameter, value: str) -> str:
    unknown = [word for word in (value or "").split(",") if word.strip() not in ROLES]
    if value is not None and unknown:
        raise click.BadParameter(f"{unknown[0].strip()!r} is none; write some of {','.join(ROLES)}")
    return value


@main.command(short_help="Run the daemon.")
@config_option
@click.option(
    "--roles",
    metavar="ROLES",
    callback=_known_roles,
    help="What this process does: any of poll,extract,fold,web. Default: process.roles, all.",
)
@click.option("--log-json", is_flag=True, help='Log JSON lines, as [log] format = "json" does.')
def run(config: Path, roles: str | None, log_json: bool) -> None:
    """Run the daemon: poll, extract, fold and serve until stopped (Ctrl-C or SIGTERM).

    Any number of them may share a PostgreSQL database, each with the roles it is given; an SQLite
    file has one.

    An edited configuration is taken up by itself within seconds; SIGHUP does it at once. One that
    is broken is reported and changes nothing.
    """
    from aggregator.config.secrets import secrets_in  # noqa: PLC0415 - heavy; --help shall be quick
    from aggregator.config.settings import Settings  # noqa: PLC0415 - the same
    from aggregator.config.watch import ConfigWatch  # noqa: PLC0415 - the same
    from aggregator.running.daemon import run_daemon  # noqa: PLC0415 - the same
    from aggregator.running.logs import configure_logs  # noqa: PLC0415 - the same

    def log_as(settings: Settings) -> None:
        configure_logs(
            json=log_json or settings.log.format == "json",
            level=settings.log.level,
            secrets=secrets_in(settings),
        )

    # As a variable of the environment it goes before the file whenever that is read again.
    environment = dict(process_environment()) | ({_ROLES_VARIABLE: roles} if roles else {})
    settings = read_settings(config, "run", environment)
    watch = ConfigWatch(config, environment, settings)
    or_fail(lambda: run_daemon(settings, click.echo, watch, log_as))


@main.command(short_help="One full pass over the sources that are due.")
@config_option
@click.option("--all", "everything", is_flag=True, help="Poll every source now, due or not.")
def update(config: Path, everything: bool) -> None:
    """Do one full pass over the sources that are due, then exit.

    Ends when everything it found is extracted, folded and published. Sources that fail are
    listed; they do not make the pass a failure.
    """
    from aggregator.operating.passes import run_update  # noqa: PLC0415 - the same
    from aggregator.running.logs import configure_logs  # noqa: PLC0415 - heavy; --help shall be quick

    configure_logs(json=False, level="error")  # the summary says what failed
    settings = read_settings(config, "update")
    or_fail(lambda: run_update(settings, everything=everything))


@main.command(short_help="Write everything as static files.")
@config_option
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write into; made if it is not there.",
)
def render(config: Path, folder: Path) -> None:
    """Write every output and page as static files, for a web server of your own."""
    from aggregator.operating.passes import run_render  # noqa: PLC0415 - the same
    from aggregator.running.logs import configure_logs  # noqa: PLC0415 - heavy; --help shall be quick

    configure_logs(json=False, level="error")
    settings = read_settings(config, "render")
    or_fail(lambda: run_render(settings, folder))


@main.command(short_help="Show everything on made-up news, offline.")
@click.option("--once", is_flag=True, help="Do one full pass, print a summary, exit.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port of the front page; 0: any.",
)
def demo(once: bool, port: int) -> None:
    """Show everything on a made-up newsroom, offline: no configuration, nothing kept.

    Starts a small web server that plays a dozen outlets, and the same daemon that
    `newsfold run` is, reading them.
    """
    from aggregator.operating.demo import run_demo  # noqa: PLC0415 - heavy; --help shall be quick
    from aggregator.running.logs import configure_logs  # noqa: PLC0415 - the same

    configure_logs(json=False, level="warning")
    or_fail(lambda: run_demo(once=once, port=port))


for _command in (
    init,
    extract,
    fold_files,
    evaluate,
    train_weights,
    explain,
    story,
    corrections,
    refold,
    backup,
    restore,
    migrate_to,
    sources,
    rules,
    status,
    log,
    poll,
    doctor,
):
    main.add_command(_command)
