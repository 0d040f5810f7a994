"""Secrets: settings that are never shown, and may stand in a file of their own.

A setting is a secret if it has a twin whose name ends in ``_file``. The twin names a file that
holds the value, as container platforms mount them; its first and only word goes where the secret
would stand in the config.
"""

import re
from pathlib import Path

from pydantic import BaseModel

TWIN = "_file"
_USERINFO = re.compile(r"//[^/@\s]*@")
_MOST_BYTES = 64 * 1024


class SecretFileError(Exception):
    """The file of a secret cannot be used; the message says why and names no content."""


def secret_keys(model: type[BaseModel]) -> frozenset[str]:
    """The settings of a table that are secrets."""
    names = model.model_fields.keys()
    return frozenset(name for name in names if f"{name}{TWIN}" in names)


def read_secret(path: Path) -> str:
    """What the file at ``path`` holds, without the line break that editors leave at its end.

    Raises:
        SecretFileError: it cannot be read, is empty, or is no text of a secret's size.
    """
    try:
        with path.open("rb") as file:
            held = file.read(_MOST_BYTES + 1)
        text = held.decode().rstrip("\r\n")
    except OSError as error:
        raise SecretFileError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SecretFileError(f"{path} is not UTF-8 text") from error
    except ValueError as error:
        raise SecretFileError(f"{str(path)!r} is not the name of a file") from error
    if not text.strip():
        raise SecretFileError(f"{path} is empty")
    if len(held) > _MOST_BYTES:
        raise SecretFileError(f"{path} holds more than {_MOST_BYTES} bytes")
    return text


def without_password(text: str) -> str:
    """``text`` with the user name and password of every address in it taken out."""
    return _USERINFO.sub("//", text)
