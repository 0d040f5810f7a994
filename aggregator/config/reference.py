"""``docs/configuration.md``, made from the settings themselves.

``python -m aggregator.config.reference`` prints it; a test compares the two.
"""

import sys
from collections.abc import Iterator
from datetime import timedelta
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from aggregator.config.durations import format_duration
from aggregator.config.entry_settings import EntryFilter, TextFilter
from aggregator.config.settings import Settings
from aggregator.config.table import Table

_INTRODUCTION = """\
# Configuration

<!-- Made by `python -m aggregator.config.reference`; a test compares it with the code. -->

One TOML file, `newsfold.toml` in the current folder unless `--config` or `NEWSFOLD_CONFIG` names
another. `newsfold init` writes a commented example; `newsfold check` says what is wrong, in which
file and line. Unknown keys are errors.

Durations are written `"90s"`, `"15m"`, `"1h 30m"`, `"7d"`; `"0s"` is a duration.

Every key of a `[table]` can come from the environment: `[fetch] min_interval` is
`NEWSFOLD_FETCH_MIN_INTERVAL`. The value is TOML where it reads as TOML (`["10.0.0.0/8"]`, `8`,
`true`), and plain text otherwise (`15m`). The environment wins over the file.

So can every key of a `[[source]]` or `[[output]]` that has a name: `password` of the source named
`Example Times` is `NEWSFOLD_SOURCE_EXAMPLE_TIMES_PASSWORD`, `token` of the output named `world` is
`NEWSFOLD_OUTPUT_WORLD_TOKEN`.

Secrets need not stand in the file: each has a twin that ends in `_file` and names a file that holds
it, relative to the file that names it. They are never logged, shown or stored.
"""

_FILTERS = """\
## Filters by words

`include` and `exclude` of an output hold keywords and regular expressions:

```toml
[[output]]
name = "quakes"
include = ["earthquake*", "Richter scale", { regex = '\\bM ?[5-9]\\.\\d\\b', in = "title" }]
exclude = [{ keyword = "fantasy football", in = "title" }]
```

A keyword is a word or phrase in any case; with `*` at its end, the beginning of one; in scripts
without spaces between words it may stand anywhere. `in` is `title`, `text` or `anywhere`, the
default. They are looked for in the title and text that the story shows, in its first 20,000
characters.

A regular expression is one of the `regex` package, in any case unless it says `(?-i:...)`; words,
digits and scripts are Unicode's (`\\b`, `\\d`, `\\p{Cyrillic}`). One that could hold the daemon up,
such as `(a+)+$`, is refused by `newsfold check`; what still takes longer than a tenth of a second
on a text counts as not found there, and is logged.
"""

_RULES = """\
## Rules

A `[[rule]]` holds for the entries of its `sources`, of the sources in its `categories`, in which
one of its `match` is found; what is left out asks for nothing. Rules are followed from top to
bottom:

```toml
[[rule]]
name = "football we want"
sources = ["Example Times"]
match = ["cup final", { regex = '/football/', in = "url" }]
action = "keep"                  # no drop further below holds for it

[[rule]]
name = "no other sport"
sources = ["Example Times"]
match = [{ regex = '/sport/', in = "url" }, "horoscope*"]
action = "drop"

[[rule]]
match = [{ keyword = "live blog", in = "title" }]
never_fold = true                # a story of its own: nothing joins it

[[rule]]
match = [{ regex = '\\bquantum\\b', in = "title" }]
category = "science"             # the lowest rule that sets it counts
```

They look at the title and text that the feed gives, not at the page. A pattern that takes longer
than a tenth of a second on an entry counts as not found in it, and is logged.

Rules hold for what arrives while they stand there. An entry that was dropped does not come back
when its rule goes or its title changes; the same article in another source's feed is that source's,
and stays. What is stored keeps what was said of it; an entry that its feed changes is judged anew,
but no longer dropped. Before a rule holds, `newsfold rules test` shows what it would do to the
entries that came last, and `newsfold rules test ADDRESS` to a feed.

`title_prefixes` and `title_suffixes` of a source are taken off first, in any case, one of each.

`[[publisher]]` says whose several sources are, so that they count as one outlet:

```toml
[[publisher]]
name = "BBC"
domains = ["bbc.co.uk", "bbci.co.uk"]   # by the addresses of the feeds
sources = ["Newsround"]                 # or by name
```
"""


def configuration_reference() -> str:
    """The whole page, in Markdown."""
    parts = [_INTRODUCTION, "## Top level\n", _table(_plain_fields(Settings))]
    for name, model, repeated in _tables():
        heading = f"[[{name}]]" if repeated else f"[{name}]"
        parts += [f"## `{heading}`\n", f"{(model.__doc__ or '').splitlines()[0]}\n"]
        parts.append(_table(model.model_fields))
    parts += [_FILTERS, _RULES]
    return "\n".join(parts)


def _tables() -> Iterator[tuple[str, type[Table], bool]]:
    for name, info in Settings.model_fields.items():
        for model in (info.annotation, *get_args(info.annotation)):
            if isinstance(model, type) and issubclass(model, Table):
                yield name, model, model is not info.annotation


def _plain_fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    tables = {name for name, _, _ in _tables()}
    return {name: info for name, info in model.model_fields.items() if name not in tables}


def _table(fields: dict[str, FieldInfo]) -> str:
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for name, info in fields.items():
        meaning = (info.description or "").replace("|", "\\|")
        rows.append(f"| `{name}` | {_type(info)} | {_default(info)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _type(info: FieldInfo) -> str:
    return _type_name(info.annotation)


def _type_name(annotation: Any) -> str:  # noqa: ANN401 - any annotation at all
    if get_origin(annotation) is Annotated:
        return _type_name(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return " or ".join(f'`"{choice}"`' for choice in get_args(annotation))
    if get_origin(annotation) is dict:
        return "table of text"
    if get_origin(annotation) is tuple:
        return f"list of {_type_name(get_args(annotation)[0])}"
    if get_origin(annotation) in {Union, UnionType}:
        inner = [_type_name(part) for part in get_args(annotation) if part is not type(None)]
        return " or ".join(dict.fromkeys(inner))
    names = {
        int: "integer",
        bool: "true or false",
        timedelta: "duration",
        TextFilter: "text or table",
        EntryFilter: "text or table",
    }
    return names.get(annotation, "text")


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is None or value is PydanticUndefined:
        return ""
    if hasattr(value, "total_seconds"):
        return f'`"{format_duration(value)}"`'
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{[one if isinstance(one, str) else str(one) for one in value]}`"
    if value == {}:
        return "`{}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(configuration_reference())
