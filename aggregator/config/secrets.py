"""Secrets: settings that are never shown, and may stand in a file of their own.

A setting is a secret if it has a twin whose name ends in ``_file``. The twin names a file that
holds the value, as container platforms mount them; its first and only word goes where the secret
would stand in the config.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pydantic import BaseModel, SecretStr

TWIN = "_file"
_USERINFO = re.compile(r"//[^/@\s]*@")
_KEY = re.compile(r"(?i)auth|hash|key|pass|secret|session|sig|token")
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


def secrets_in(settings: object) -> Iterator[str]:
    """Every secret that a configuration holds, in the forms in which it may turn up elsewhere."""
    for secret in _held(settings):
        yield secret
        yield quote(secret, safe="")
        try:
            password = urlsplit(secret).password
        except ValueError:
            continue
        if password:
            yield from (password, unquote(password))


def _held(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _held(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _held(inner)
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            inner = getattr(value, name)
            secret = name in secret_keys(type(value)) and isinstance(inner, str)
            yield from [inner] if secret else _held(inner)
        yield from _credentials(value)
        yield from _keys(getattr(value, "url", None))


def _keys(address: object) -> Iterator[str]:
    """What stands for a reader's key in an address."""
    if isinstance(address, str):
        found = parse_qsl(urlsplit(address).query)
        yield from (content for name, content in found if _KEY.search(name))


def _credentials(table: BaseModel) -> Iterator[str]:
    """User and password as basic authentication sends them."""
    user, password = getattr(table, "username", None), getattr(table, "password", None)
    if user and isinstance(password, SecretStr):
        yield b64encode(f"{user}:{password.get_secret_value()}".encode()).decode()


def without_password(text: str) -> str:
    """``text`` with the user name and password of every address in it taken out."""
    return _USERINFO.sub("//", text)
