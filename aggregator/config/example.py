"""The configuration that ``newsfold init`` writes."""

from collections.abc import Sequence
from itertools import groupby

from aggregator.config.editing import quoted, source_block
from aggregator.config.starters import Starter

BASE_URL = "http://127.0.0.1:8080"

_BEGIN = """\
# Newsfold. Every setting is explained in docs/configuration.md; `newsfold check` finds mistakes.
# Any of them can come from the environment: NEWSFOLD_FETCH_MIN_INTERVAL=30m

[server]
listen = "127.0.0.1:8080"
# The public address, as subscribers type it.
base_url = {base_url}

[storage]
url = "sqlite:///newsfold.db"

[fetch]
min_interval = "15m"        # no feed is polled more often
# contact = "https://example.org/about-our-newsfold"   # told to publishers in the User-Agent
# allow_networks = ["192.168.1.0/24"]                   # for sources on a private network

# One table for each feed. `newsfold sources add ADDRESS` finds the feed of a site and adds it,
# `newsfold sources import FILE` takes over the list of another reader.
#
# [[source]]
# url = "https://example.org/feed.xml"
# name = "Example Times"
# category = "world"
# publisher = "Example Times"   # sources of one publisher count as one outlet
# priority = 1                  # higher leads a story
"""

_STARTERS = """\
# Starter sources: public feeds, listed from general knowledge. Feeds move: `newsfold status` says
# which cannot be read. What their owners allow is between you and them.
"""

_END = """\
# Rules for entries on their way in; `newsfold rules test` shows what they would do.
# [[rule]]
# match = ["horoscope*", { regex = '/sponsored/', in = "url" }]
# action = "drop"

# Without an [[output]] there is one, "feed", of everything: /feed.atom, /feed.rss, /feed.json
# [[output]]
# name = "world"                # /world.atom, /world.rss, /world.json
# categories = ["world"]
# min_outlets = 2               # only what at least two independent outlets tell
# content = "summary"           # "full" republishes others' articles and needs a token
#
# [[output]]
# name = "quakes"
# title = "Earthquakes"
# include = ["earthquake*", { regex = 'magnitude \\d', in = "title" }]
# exclude = ["fantasy football"]
# exclude_sources = ["Example Times"]   # no stories that it leads
# settle = "30m"                # wait so long for coverage before publishing
# max_age = "7d"
# per_source = 10               # entries that one source leads, at most
# order = "covered"             # most outlets first; "newest" otherwise
#
# [[output]]
# name = "everything"           # articles instead of stories
# fold = false
"""


def example(sources: Sequence[Starter] = (), base_url: str = BASE_URL) -> str:
    """The text of a first config file with these sources."""
    begin = _BEGIN.format(base_url=quoted(base_url))
    parts = [begin, _STARTERS if sources else "", *_tables(sources), _END]
    return "\n".join(filter(None, parts))


def _tables(sources: Sequence[Starter]) -> list[str]:
    tables = []
    for field, some in groupby(sources, key=lambda one: one.category):
        blocks = [source_block(one.row()) for one in some]
        tables.append(f"# {field}\n" + "\n".join(blocks))
    return tables
