"""What this machine is like, for ``newsfold doctor``: disk, permissions, certificates, limits."""

import os
import pwd
import resource
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from aggregator.config.loading import config_files
from aggregator.config.settings import Settings
from aggregator.operating import checks
from aggregator.operating.checks import Check, Disk
from storage.exclusive import sqlite_path


def disk(settings: Settings, database_bytes: int) -> Iterator[Check]:
    """Whether there is room where the database is; of a server's disk nothing is known here."""
    path = sqlite_path(settings.storage.url)
    if path is None:
        return
    folder = path.parent
    if not folder.is_dir():
        yield Check("disk", "failed", f"there is no folder {folder}", f"mkdir -p {folder}")
        return
    found = os.statvfs(folder)
    room = Disk(
        str(folder),
        found.f_bavail * found.f_frsize,
        found.f_blocks * found.f_frsize,
        found.f_favail if found.f_files else None,
        _kind_of_file_system(folder.resolve()),
    )
    yield checks.disk(room, database_bytes)
    if trouble := checks.file_system(room):
        yield trouble


def _kind_of_file_system(folder: Path) -> str:
    """As Linux names it; empty where that cannot be told."""
    try:
        rows = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return ""
    below = [row for row in rows if len(row) > 2 and folder.is_relative_to(row[1])]
    return max(below, key=lambda row: len(row[1]))[2] if below else ""


def permissions(config: Path, settings: Settings) -> Iterator[Check]:
    """Whether what has to be written can be, and nobody else reads secrets."""
    troubles = [*_not_writable(settings), *_readable_secrets(config, settings)]
    yield from troubles
    if not troubles:
        yield Check("permissions", "ok", f"what has to be written can be, by {_user()}")


def _not_writable(settings: Settings) -> Iterator[Check]:
    path = sqlite_path(settings.storage.url)
    if path is None or not path.parent.is_dir():
        return
    sides = [path.with_name(path.name + end) for end in ("", "-wal", "-shm", ".lock")]
    for one in (path.parent, *(side for side in sides if side.exists())):
        if not os.access(one, os.W_OK):
            yield Check(
                "permissions",
                "failed",
                f"{_user()} may not write {one}",
                "run newsfold as the user the daemon runs as (sudo -u newsfold newsfold ...), or "
                "give the file to that user (chown)",
            )


def _readable_secrets(config: Path, settings: Settings) -> Iterator[Check]:
    for file in config_files(config):
        try:
            text, mode = file.read_text(encoding="utf-8"), file.stat().st_mode
        except OSError:
            continue
        if any(secret in text for secret in _secrets(settings)) and (
            trouble := checks.secrets_readable(str(file), mode)
        ):
            yield trouble


def _secrets(settings: Settings) -> Iterator[str]:
    held = [settings.server.read_token, settings.metrics.token]
    held += [output.token for output in settings.output]
    for source in settings.source:
        held += [source.password, source.proxy, *source.headers.values()]
    yield from (secret.get_secret_value() for secret in held if secret)
    if password := urlsplit(settings.storage.url).password:
        yield password


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # containers have users without a name
        return f"user {os.geteuid()}"


def authorities() -> Check:
    """Whether this machine knows whom to trust."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    where = paths.cafile or paths.capath or paths.openssl_cafile
    folder = Path(paths.capath) if paths.capath else None
    # Those of a folder are read when they are needed, and not counted before.
    kept = sum(1 for _ in folder.iterdir()) if folder and folder.is_dir() else 0
    return checks.certificates(context.cert_store_stats()["x509_ca"] or kept, str(where))


def open_files(settings: Settings) -> Check:
    """Whether so many connections may be open as there may be."""
    wanted = settings.server.max_connections + 2 * settings.fetch.concurrency + 100
    return checks.open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[1], wanted)
