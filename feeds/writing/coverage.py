"""The list at the foot of an entry: whose text it is, and who else tells the story.

HTML that validators, sanitisers and small readers take: paragraphs, a list, links and times. Every
headline is isolated (``dir="auto"``), so that a right-to-left one does not rearrange its line.
"""

from collections.abc import Iterable
from html import escape

from feeds.model import Coverage, OutputEntry
from feeds.writing.output_values import rfc3339, web_url
from feeds.writing.xml_text import one_line

MAX_LISTED = 200
"""Outlets listed, and copies listed under one of them; the rest are counted."""
MAX_HEADLINE = 300
MAX_OUTLET = 200


def coverage_html(entry: OutputEntry) -> str:
    """Return the foot of ``entry`` as an HTML fragment; the lead is ``coverage[0]``.

    First the outlet whose text leads and those that carry the same text, then every other outlet
    by its own headline with its copies under it.
    """
    if not entry.coverage:
        return ""
    lead, *others = entry.coverage
    foot = f"<hr><p>{_outlet(lead)}{_copies(lead)}</p>"
    if not others:
        return foot
    listed = "".join(f"<li>{_telling(other)}</li>" for other in others[:MAX_LISTED])
    return f"{foot}<p>{_count(entry)}</p><ul>{listed}{_rest(len(others))}</ul>"


def _count(entry: OutputEntry) -> str:
    noun = "outlet" if entry.outlets == 1 else "outlets"
    return _link(entry.page_url, f"Told by {entry.outlets} {noun}") + ":"


def _telling(coverage: Coverage) -> str:
    headline = one_line(coverage.title, MAX_HEADLINE) or one_line(coverage.url, MAX_HEADLINE)
    outlet = escape(one_line(coverage.outlet, MAX_OUTLET))
    return f"{_link(coverage.url, headline)} — {outlet}{_time(coverage)}{_copies(coverage)}"


def _copies(coverage: Coverage) -> str:
    if not coverage.copies:
        return ""
    names = [_outlet(copy) for copy in coverage.copies[:MAX_LISTED]]
    return f"; also at {_joined(names, len(coverage.copies))}"


def _joined(names: Iterable[str], count: int) -> str:
    more = count - MAX_LISTED
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _rest(count: int) -> str:
    more = count - MAX_LISTED
    return f"<li>and {more} more</li>" if more > 0 else ""


def _outlet(coverage: Coverage) -> str:
    name = one_line(coverage.outlet, MAX_OUTLET) or one_line(coverage.url, MAX_OUTLET)
    return _link(coverage.url, name) + _time(coverage)


def _link(url: str | None, text: str) -> str:
    address = web_url(url)
    if address is None:
        return escape(text)
    return f'<a href="{escape(address)}" dir="auto">{escape(text)}</a>'


def _time(coverage: Coverage) -> str:
    if coverage.published is None:
        return ""
    instant = rfc3339(coverage.published)
    return f', <time datetime="{instant}">{instant[:16].replace("T", " ")} UTC</time>'
