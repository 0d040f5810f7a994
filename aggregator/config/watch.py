"""Noticing that the configuration was edited. What is wrong with an edit is a value.

The files are looked at, not subscribed to: that works in containers, on network file systems and
with every editor's way of replacing a file.
"""

from collections.abc import Mapping
from pathlib import Path

from aggregator.config.loading import ConfigError, config_files, load_config
from aggregator.config.settings import Settings

_Stamps = dict[Path, tuple[int, int, int] | None]


class ConfigWatch:
    """The config file at ``path``, which gave ``settings``, and what became of it since."""

    def __init__(self, path: Path, environment: Mapping[str, str], settings: Settings) -> None:
        self._path = path
        self._environment = environment
        self._stamps = _stamps(path)
        self._settings = settings

    def look(self, *, anyway: bool = False) -> Settings | ConfigError | None:
        """The new settings, what is wrong with them, or None while nothing changed.

        ``anyway`` reads the file even if it looks untouched.
        """
        stamps = _stamps(self._path)
        if stamps == self._stamps and not anyway:
            return None
        self._stamps = stamps
        try:
            settings = load_config(self._path, self._environment)
        except ConfigError as error:
            return error
        except OSError as error:
            return ConfigError.of(str(self._path), f"cannot be read: {error.strerror}")
        if settings == self._settings and not anyway:
            return None
        self._settings = settings
        return settings


def _stamps(path: Path) -> _Stamps:
    return {file: _stamp(file) for file in config_files(path)}


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
