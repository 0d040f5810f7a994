"""Column types that mean the same on SQLite and PostgreSQL."""

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

Json = JSON().with_variant(JSONB(), "postgresql")
"""A JSON document; JSONB where there is one."""

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""The number of what there may be more than two thousand million of."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_KEY_BYTES = 2000
_encode = json.JSONEncoder(ensure_ascii=False).encode


def storable(text: str) -> str:
    """``text`` without the characters that no database keeps: NUL and halves of surrogate pairs."""
    # Nearly all is storable, which this says of ASCII a hundred times faster than the pattern.
    if text.isascii() and "\0" not in text:
        return text
    return _UNSTORABLE.sub("", text)


def storable_key(text: str) -> str:
    """``text`` as a unique key: storable, and short enough for an index of PostgreSQL.

    (2,704 bytes.) The end of a longer one gives way to a hash of the whole.
    """
    key = storable(text)
    if 4 * len(key) <= _KEY_BYTES:
        return key
    encoded = key.encode()
    if len(encoded) <= _KEY_BYTES:
        return key
    return encoded[:_KEY_BYTES].decode(errors="ignore") + hashlib.sha256(encoded).hexdigest()


def dump_json(value: object) -> str:
    """JSON that either engine keeps."""
    if value == []:  # most lists of most entries
        return "[]"
    dumped = _encode(value)
    if "\\u0000" in dumped:
        dumped = _encode(_storable_json(value))
    return storable(dumped)


def _storable_json(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {_storable_json(key): _storable_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable_json(item) for item in value]
    return value


class CleanText(TypeDecorator[str]):
    """Text of any length, without what cannot be stored. What the outside sends may hold it."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the base class's signature
        """Storable."""
        return None if value is None else storable(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC. A naive one is refused: it would be a guess."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; without its zone on SQLite, which has none."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r} where an aware one belongs")
        utc = value if value.tzinfo is UTC else value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002 - the base class's signature
        """Always aware UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=UTC)  # type: ignore[no-any-return] # the driver's
        return value.astimezone(UTC)  # type: ignore[no-any-return] # the driver's
