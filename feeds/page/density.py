"""The article by its density: where the sentences are.

An opinion beside the extraction libraries', on the tree itself. Long paragraphs with few links give
their weight to every element around them; the article is in the smallest element that holds three
quarters of it. (The idea is that of Arc90's Readability and of Kohlschütter et al., "Boilerplate
Detection using Shallow Text Features", WSDM 2010; the numbers were set on the development pages of
docs/extraction.md.)
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import zip_longest

from lxml.html import HtmlElement

from feeds.page.blocks import HEADINGS, Block

_SENTENCE = 40
"""Characters from which a block counts as prose; a Chinese or Japanese character counts three."""
_MOST = 0.75
_MAIN = 0.3
"""An element with this share of the article's weight is no sidebar, whatever it is called."""

_ASIDES = frozenset(
    {"nav", "footer", "aside", "form", "header", "dialog", "figure", "address", "label"}
)
_OUTSIDE = frozenset({"nav", "footer", "aside"})
_ASIDE_ROLES = frozenset(
    {"navigation", "complementary", "banner", "contentinfo", "search", "dialog", "alert"}
)
_ASIDE_NAMES = re.compile(
    r"(?:^|[\s_-])(?:ads?|advert\w*|author(?:-?(?:bio|box|info))?|bio|breadcrumbs?|byline|captions?"
    r"|comments?|cookies?|consent|credits?|cta|disqus|footer|footnotes|gallery|gdpr|header|hidden|login"
    r"|masthead|menu|meta|modal|more-?(?:stories|from|news)|nav\w*|newsletter|outbrain|paging"
    r"|pagination|popup|popular|promo\w*|read-?(?:more|next)|recirc\w*|recommend\w*|related\w*"
    r"|share\w*|sharing|sidebar|sign-?up|skip|social\w*|sponsor\w*|subscri\w*|taboola|tags?|teaser"
    r"|toc|table-of-contents|toolbar|tooltip|trending)(?=$|[\s_-])",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def densest(blocks: Sequence[Block], body: HtmlElement) -> list[Block]:
    """The blocks that make up the article, in order; empty where there is no prose."""
    weights = _weights(blocks)
    top = _descend(body, weights)
    aside = _Asides(top, weights)
    inside = [block for block in blocks if not aside.holds(block.owner)]
    return [block for block, after in zip_longest(inside, inside[1:]) if _is_text(block, after)]


def _weights(blocks: Iterable[Block]) -> dict[HtmlElement, float]:
    weights: dict[HtmlElement, float] = {}
    for block in blocks:
        weight = _weight(block)
        if weight:
            element: HtmlElement | None = block.owner
            while element is not None:
                weights[element] = weights.get(element, 0) + weight
                element = element.getparent()
    return weights


def _weight(block: Block) -> float:
    size = len(block.text)
    if block.tag in HEADINGS or block.linked > 0.4:
        return 0
    if size < _SENTENCE and size + 2 * len(_WIDE.findall(block.text)) < _SENTENCE:
        return 0
    return (size - 2 * block.link_chars) * (0.5 if block.tag == "li" else 1)


def _descend(body: HtmlElement, weights: dict[HtmlElement, float]) -> HtmlElement:
    top = body
    while True:
        inner = [child for child in top if child.tag not in _OUTSIDE]
        best = max(inner, key=lambda child: weights.get(child, 0), default=None)
        if best is None or best.tag in {"p", "li"}:
            return top
        if weights.get(best, 0) < _MOST * weights.get(top, 1):
            return top
        top = best


def _is_text(block: Block, after: Block | None) -> bool:
    """Whether a block is more than a link; a linked heading is, where prose follows it."""
    if block.linked <= 0.7 or len(block.text) >= 200:
        return True
    return block.tag in HEADINGS and after is not None and _weight(after) > 0


class _Asides:
    """Which elements of the article are not of the article. Remembers what it has answered."""

    def __init__(self, top: HtmlElement, weights: dict[HtmlElement, float]) -> None:
        self._weights = weights
        self._light = _MAIN * weights.get(top, 0)
        self._known: dict[HtmlElement, bool] = {top: False}

    def holds(self, element: HtmlElement) -> bool:
        path: list[HtmlElement] = []
        current: HtmlElement | None = element
        while current is not None and current not in self._known:
            path.append(current)
            current = current.getparent()
        verdict = True if current is None else self._known[current]
        for step in reversed(path):
            verdict = verdict or self._is_aside(step)
            self._known[step] = verdict
        return verdict

    def _is_aside(self, element: HtmlElement) -> bool:
        return self._weights.get(element, 0) < self._light and named_aside(element)


def named_aside(element: HtmlElement) -> bool:
    """Whether an element says of itself, by its tag, role or class, that it is no main text."""
    attributes = element.attrib
    return (
        (element.tag in _ASIDES and not (element.tag == "figure" and _has_table(element)))
        or attributes.get("role") in _ASIDE_ROLES
        or "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or _is_aside_name(attributes.get("class", ""), attributes.get("id", ""))
    )


def _has_table(figure: HtmlElement) -> bool:
    return figure.find(".//table") is not None


@lru_cache(maxsize=4096)
def _is_aside_name(classes: str, identifier: str) -> bool:
    return bool(_ASIDE_NAMES.search(_CAMEL.sub("-", f"{classes} {identifier}"[:500])))
