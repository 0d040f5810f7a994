"""Changing the config file by program: sources added and removed, and nothing else touched.

Works on lines, so that every comment and the order of everything stay as a person wrote them; a
TOML library that keeps comments moves tables which are not together, and drops what stands between
them. That nothing else changed is made sure by reading the result back.
"""

import json
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aggregator.config.loading import ConfigError, load_config
from aggregator.config.toml_lines import HEADER, line_of
from aggregator.errors import ApplicationError

_NO_CONTENT = re.compile(r"\s*(?:#.*)?$")


def source_block(values: Mapping[str, str]) -> str:
    """A ``[[source]]`` table in TOML, as a person would write it."""
    lines = [f"{key} = {quoted(text)}" for key, text in values.items()]
    return "\n".join(["[[source]]", *lines, ""])


def add_sources(
    path: Path, rows: Sequence[Mapping[str, str]], environment: Mapping[str, str]
) -> None:
    """Write sources into the config file, after those that are there; all of them, or none.

    Raises:
        ApplicationError: the file cannot be changed, or would not be valid; it is as it was.
    """
    text, data = _read(path)
    lines = text.splitlines(keepends=True)
    blocks = len(data.get("source", []))
    at = _block(lines, blocks - 1)[1] if blocks else len(lines)
    before = "".join(lines[:at])
    before += "" if not before or before.endswith("\n") else "\n"
    gap = "\n" if before.strip() and not before.endswith("\n\n") else ""
    added = "\n".join(map(source_block, rows))
    edited = f"{before}{gap}{added}{''.join(lines[at:])}"
    expected = data | {"source": [*data.get("source", []), *map(dict, rows)]}
    _replace(path, text, edited, expected, environment)


def remove_source(path: Path, index: int, environment: Mapping[str, str]) -> None:
    """Take the source at ``index``, counted from 0 in this very file, out of it.

    Raises:
        ApplicationError: the file cannot be changed; it is as it was.
    """
    text, data = _read(path)
    lines = text.splitlines(keepends=True)
    begin, end = _block(lines, index)
    while end < len(lines) and not lines[end].strip():
        end += 1
    left = [source for number, source in enumerate(data["source"]) if number != index]
    expected = data | {"source": left} if left else {k: v for k, v in data.items() if k != "source"}
    _replace(path, text, "".join(lines[:begin] + lines[end:]), expected, environment)


def own_sources(path: Path) -> list[Mapping[str, Any]]:
    """The sources that stand in this very file, in order; not those of the lists it includes."""
    return list(_read(path)[1].get("source", []))


def quoted(text: str) -> str:
    """A TOML string."""
    # A JSON string is a TOML string, but for the one control character that JSON leaves bare.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:  # its line ends are kept
        text = file.read()
    return text, tomllib.loads(text)


def _block(lines: list[str], index: int) -> tuple[int, int]:
    """From which line to which (from 0, end excluded) the source at ``index`` stands.

    Its own further tables belong to it, what is said above the next table does not.
    """
    header = line_of("".join(lines), ("source", index))
    if header is None or not lines[header - 1].lstrip().startswith("[["):
        return len(lines), len(lines)  # a list within brackets: what comes of it will not do
    following = range(header, len(lines))
    end = next((n for n in following if _begins_another(lines[n])), len(lines))
    last = next(n for n in range(end - 1, -1, -1) if not _NO_CONTENT.match(lines[n])) + 1
    attached = last
    while attached < end and lines[attached].lstrip().startswith("#"):
        attached += 1
    # Remarks right below it are its own, unless the next table follows right upon them.
    return header - 1, last if attached == end < len(lines) else attached


def _begins_another(line: str) -> bool:
    header = HEADER.match(line)
    return header is not None and not header[2].startswith("source.")


def _replace(
    path: Path,
    text: str,
    edited: str,
    expected: Mapping[str, Any],
    environment: Mapping[str, str],
) -> None:
    """Put ``edited`` in the file's place at once, if it says what is ``expected`` and is valid."""
    if "\r\n" in text:
        edited = edited.replace("\r\n", "\n").replace("\n", "\r\n")
    try:
        faithful = tomllib.loads(edited) == expected
    except tomllib.TOMLDecodeError:
        faithful = False
    if not faithful:
        raise ApplicationError(
            f"{path} is written in a way that only a person can change; nothing was touched"
        )
    target = path.resolve()  # what a symbolic link stands for is replaced, not the link
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise ApplicationError(f"cannot write beside {path}: {error.strerror}") from error
    draft = Path(name)
    try:
        with open(handle, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - a handle
            file.write(edited)
            file.flush()
            os.fsync(file.fileno())
        load_config(draft, environment)
        shutil.copymode(target, draft)
        draft.replace(target)
    except ConfigError as error:
        said = str(error).replace(str(draft), str(path))
        raise ApplicationError(f"it would not be valid; nothing was touched\n{said}") from error
    except OSError as error:
        raise ApplicationError(f"cannot write {path}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
