"""What may stand in the settings that shape a source's requests: addresses, headers, names.

Types for fields of ``settings.py``; each explains what is wrong with a value that it refuses, and
never shows one that may be secret.
"""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from feeds.http.headers import header_problem

_LINE = re.compile(r"([^:\s]+)\s*:\s*(.*)")


def http_url(value: str) -> str:
    """``value``, if it is an http(s) address.

    Raises:
        ValueError: it is none.
    """
    try:
        parts = urlsplit(value)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or any(c.isspace() for c in value):
        raise ValueError("is not an http:// or https:// address")
    return value


def _source_url(value: str) -> str:
    if "@" in urlsplit(http_url(value)).netloc:
        raise ValueError(
            "holds a user name or password, which would be shown wherever the source is; take them "
            'out of the address and write username = "..." and password = "..." below it'
        )
    return value


def _proxy(value: SecretStr) -> SecretStr:
    http_url(value.get_secret_value())
    return value


def _user_agent(value: str) -> str:
    if problem := header_problem("User-Agent", value):
        raise ValueError(problem)
    return value


def _username(value: str) -> str:
    if ":" in value:
        raise ValueError("holds a colon, which basic authentication cannot send in a user name")
    return value


def _from_lines(value: object) -> object:
    """Headers as ``Name: value`` lines, which is how they stand in a file."""
    if not isinstance(value, str):
        return value
    matches = [_LINE.fullmatch(line.strip()) for line in value.splitlines() if line.strip()]
    if None in matches:
        raise ValueError("is not one header in each line, as in X-Key: abc")
    return {match[1]: match[2] for match in matches if match}


def _headers(value: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, content in value.items():
        if problem := header_problem(name, content.get_secret_value()):
            raise ValueError(problem)
    return value


HttpUrl = Annotated[str, AfterValidator(http_url)]
SourceUrl = Annotated[str, AfterValidator(_source_url)]
ProxyUrl = Annotated[SecretStr, AfterValidator(_proxy)]
UserAgent = Annotated[str, AfterValidator(_user_agent)]
UserName = Annotated[str, AfterValidator(_username)]
Headers = Annotated[dict[str, SecretStr], BeforeValidator(_from_lines), AfterValidator(_headers)]
