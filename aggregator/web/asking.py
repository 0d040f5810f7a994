"""What readers may ask of an output in its address: ``?q=``, ``?category=`` and the like."""

import re
from collections.abc import Sequence

from starlette.datastructures import QueryParams

from aggregator.stages.publish.catalogue import Asked

_LONGEST = 200
_MOST_WORDS = 10
_MOST_NAMES = 20
_MOST_ENTRIES = 1000
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


class QuestionError(ValueError):
    """What is asked for cannot be; the message says it in a line."""


def asked_for(query: QueryParams) -> Asked:
    """What ``query`` asks for; unknown names and empty values ask for nothing.

    Raises:
        QuestionError: a value is none of those that may be.
    """
    return Asked(
        words=_words(query.getlist("q")),
        categories=_names(query.getlist("category"), "category"),
        languages=_languages(query.getlist("language")),
        limit=_limit(query.getlist("limit")),
    )


def _words(values: Sequence[str]) -> tuple[str, ...]:
    text = " ".join(values)
    words = text.casefold().split()
    if len(text) > _LONGEST or len(words) > _MOST_WORDS:
        raise QuestionError(f"q: at most {_MOST_WORDS} words of {_LONGEST} characters in all")
    return tuple(sorted(set(words)))


def _names(values: Sequence[str], what: str) -> tuple[str, ...]:
    names = sorted({value for value in values if value})
    if len(names) > _MOST_NAMES or any(len(name) > _LONGEST for name in names):
        raise QuestionError(f"{what}: at most {_MOST_NAMES}, of {_LONGEST} characters each")
    if any(not name.isprintable() for name in names):
        raise QuestionError(f"{what}: holds characters that no {what} has")
    return tuple(names)


def _languages(values: Sequence[str]) -> tuple[str, ...]:
    tags = _names(values, "language")
    if not all(_LANGUAGE.fullmatch(tag) for tag in tags):
        raise QuestionError('language: a tag such as "en" or "pt-BR"')
    return tags


def _limit(values: Sequence[str]) -> int | None:
    given = [value for value in values if value]
    if not given:
        return None
    text = given[-1]
    if not (text.isascii() and text.isdecimal() and len(text) < 5):
        raise QuestionError(f"limit: a whole number from 1 to {_MOST_ENTRIES}")
    if not 1 <= int(text) <= _MOST_ENTRIES:
        raise QuestionError(f"limit: a whole number from 1 to {_MOST_ENTRIES}")
    return int(text)
