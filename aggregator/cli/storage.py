"""``newsfold backup``, ``restore`` and ``migrate-to``: the database as a whole."""

from pathlib import Path

import click

from aggregator.cli.words import config_option, or_fail, read_settings


@click.command(short_help="Write the database to a file.")
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(config: Path, file: Path) -> None:
    """Write everything that is remembered to FILE, also beside a running daemon.

    FILE is an SQLite database, whichever engine is in use; it appears when it is complete.
    """
    from aggregator.operating.moving import run_backup  # noqa: PLC0415 - heavy; --help shall be quick

    settings = read_settings(config, "backup")
    or_fail(lambda: run_backup(settings, file))


@click.command(short_help="Put a backup back.")
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore(config: Path, file: Path) -> None:
    """Put the backup FILE back, also beside a running daemon.

    The database that it replaces is kept beside it. A PostgreSQL database must be empty.
    """
    from aggregator.operating.moving import run_restore  # noqa: PLC0415 - heavy; --help shall be quick

    settings = read_settings(config, "restore")
    or_fail(lambda: run_restore(settings, file))


@click.command("migrate-to", short_help="Copy the database to another engine.")
@config_option
@click.argument("url")
def migrate_to(config: Path, url: str) -> None:
    """Copy everything that is remembered into the empty database at URL.

    Stop the daemon first: what it writes meanwhile stays behind. An interrupted copy is resumed by
    the same command. At the end every table is compared, row by row.

    \b
    newsfold migrate-to postgresql+psycopg://newsfold:secret@db.example/newsfold
    """  # noqa: D301 - \b is how click is told to keep lines
    from aggregator.operating.moving import run_migration  # noqa: PLC0415 - heavy; --help shall be quick

    settings = read_settings(config, "migrate-to")
    or_fail(lambda: run_migration(settings, url))
