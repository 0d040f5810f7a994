"""Who wrote an article, from the line printed near its beginning.

For pages that do not say it in their metadata. Cautious: a name that is not surely one is worse
than none.
"""

import re
from collections.abc import Sequence

from lxml.html import HtmlElement

from feeds.page.blocks import Block
from feeds.page.phrases import alternatives

_BEFORE, _AFTER = 25, 6
"""Blocks around the article's first in which its author is named."""
_NAMED = re.compile(
    r"(?:^|[\s_-])(?:author|byline|writer|autor|auteur|autore|contributor|reporter)s?(?=$|[\s_-]|name)",
    re.IGNORECASE,
)
_BY = re.compile(rf"^(?:story )?(?:{alternatives('byline')})\b[:\s]+", re.IGNORECASE)
_REST = re.compile(r"\s+[|\u2022\u00b7\u2013\u2014]\s+|,\s|\s(?:on|in|at)\s|\d")
_BETWEEN = re.compile(r"\s(?:and|und|et|y|e|en|i|\u0438|&)\s")
_CAPITAL = "A-ZÀ-ÞА-ЯĐ"
_PERSON = re.compile(
    rf"^[{_CAPITAL}][\w.'\u2019-]+"
    rf"(?: (?:[{_CAPITAL}][\w.'\u2019-]*|de|van|von|der|la|el|al|bin|da|dos|di)){{1,4}}$"
)


def printed_authors(blocks: Sequence[Block], first: Block | None) -> tuple[str, ...]:
    """Who is named near ``first``, the article's first block; nobody where nobody surely is."""
    at = next((place for place, block in enumerate(blocks) if block is first), 0)
    for block in blocks[max(0, at - _BEFORE) : at + _AFTER]:
        by = _BY.match(block.text)
        if 0 < len(block.text) <= 100 and (by or _says_author(block)):
            line = _REST.split(block.text[by.end() if by else 0 :])[0].strip(" ,|\u2022\u00b7")
            names = tuple(_BETWEEN.split(line))
            if all(_PERSON.match(name) for name in names):
                return names
    return ()


def _says_author(block: Block) -> bool:
    around = (block.owner, *list(block.owner.iterancestors())[:2])
    inside = (part[1] for part in block.parts if not isinstance(part, str) and part[0])
    elements = (*around, *inside)
    # a line of a name and a time is a byline too
    return any(element.tag == "time" or _NAMED.search(_labels(element)) for element in elements)


def _labels(element: HtmlElement) -> str:
    return " ".join(element.get(name) or "" for name in ("class", "rel", "itemprop"))
