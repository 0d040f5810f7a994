"""What a request to the API may ask for. What is not named here is an error."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

MOST = 200
"""Items that one answer may hold."""
USUAL = 30
_LARGEST = 2**31 - 1
_NUMBER = re.compile(r"(-?[0-9]{1,18})(?:\.0{1,18})?")  # JSON Schema takes 20.0 for an integer
# RFC 3339, section 5.6; a blank where an address had an unencoded plus.
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+\- ]\d\d:\d\d)", re.ASCII
)


def _number(value: object) -> object:
    """Digits only: what else Python reads as a number, nobody means."""
    if not isinstance(value, str):
        return value
    number = _NUMBER.fullmatch(value)
    if number is None:
        raise ValueError("is not a whole number")
    return number[1]


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not _RFC3339.fullmatch(value):
        raise ValueError('is not a time with its zone, such as "2026-11-22T09:30:00Z"')
    moment = datetime.fromisoformat(value.replace(" ", "+").upper())
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # within a day of the first or last moment there is
        return moment.replace(tzinfo=UTC)


_Digits = BeforeValidator(_number)
Moment = Annotated[
    datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
Cursor = Annotated[
    str,
    Field(
        max_length=100,
        pattern="^[A-Za-z0-9_-]*$",
        description="Where to go on: `next` of the page before.",
        examples=["cmFua2VkIDEuNV80Mg"],
    ),
]
Limit = Annotated[
    int,
    Field(ge=1, le=MOST, description="The most items to answer with.", examples=[USUAL]),
    _Digits,  # last, so that the limits stay in the document
]
Category = Annotated[
    str,
    Field(max_length=100, description="Only stories of this category.", examples=["world"]),
]
Language = Annotated[
    str,
    Field(
        pattern="^([a-z]{2,3})?$",
        description="Only in this language, whatever the region: `en` is `en-GB` too.",
        examples=["en"],
    ),
]


class Asked(BaseModel):
    """What every request may carry. Empty is as good as absent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: str = Field(
        "",
        max_length=1000,
        description="`server.read_token` of a private site; without meaning elsewhere. "
        "`Authorization: Bearer` is the better place for it.",
        examples=["0123456789abcdef"],
    )


class StoriesAsked(Asked):
    """Which stories."""

    order: Literal["ranked", "newest"] = Field(
        "ranked",
        description="`ranked` as a newspaper would, or `newest`: the last published first. A "
        "search (`q`) has its own order: by the article found, the last to arrive first.",
        examples=["newest"],
    )
    category: Category = ""
    language: Language = ""
    output: str = Field(
        "",
        max_length=64,
        description="Only what this output's feed holds now. Outputs with a token are not there.",
        examples=["world"],
    )
    q: str = Field(
        "",
        max_length=300,
        description="Only stories with an article that has these words (docs/api.md, Search).",
        examples=["storm -football"],
    )
    since: Moment | None = Field(
        None,
        description="Only stories published at this time or later.",
        examples=["2026-11-22T00:00:00Z"],
    )
    until: Moment | None = Field(
        None,
        description="Only stories published before this time.",
        examples=["2026-11-23T00:00:00Z"],
    )
    min_outlets: Annotated[
        int,
        Field(
            ge=1,
            le=_LARGEST,
            description="Only stories that so many independent outlets tell.",
            examples=[2],
        ),
        _Digits,
    ] = 1
    limit: Limit = USUAL
    cursor: Cursor = ""


class ArticlesAsked(Asked):
    """Which articles."""

    source: Annotated[
        Annotated[int, Field(ge=1, le=_LARGEST), _Digits] | None,
        Field(description="Only those that this source showed first, by its number.", examples=[7]),
    ] = None
    story: str = Field(
        "",
        pattern="^[a-z0-9-]{0,100}$",
        description="Only those of this story.",
        examples=["k3v9qd7x2m"],
    )
    language: Language = ""
    since: Moment | None = Field(
        None,
        description="Only those that arrived at this time or later.",
        examples=["2026-11-22T00:00:00Z"],
    )
    limit: Limit = USUAL
    cursor: Cursor = ""


class SourcesAsked(Asked):
    """Which sources."""

    category: Annotated[
        str, Field(max_length=100, description="Only of this category.", examples=["world"])
    ] = ""
    state: Literal["any", "failing", "fine"] = Field(
        "any", description="Only those that need somebody to look, or do not.", examples=["failing"]
    )
    limit: Limit = USUAL
    cursor: Cursor = ""


class SearchAsked(Asked):
    """What to search for."""

    q: str = Field(
        min_length=1,
        max_length=300,
        description='Words, "words in a row", and -what must not be there (docs/api.md, Search).',
        examples=["storm -football"],
    )
    category: Category = ""
    language: Language = ""
    limit: Limit = USUAL
    cursor: Cursor = ""
