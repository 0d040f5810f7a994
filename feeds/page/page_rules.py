"""Rules for single sites, written by the operator as CSS selectors: what to take, drop, follow."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from lxml.cssselect import CSSSelector
from lxml.cssselect import SelectorError as CssError
from lxml.html import HtmlElement

from feeds.page.metadata import absolute


class BadSelectorError(ValueError):
    """A CSS selector that cannot be read; the message quotes it and says what is wrong."""


@dataclass(frozen=True, slots=True)
class PageRules:
    """What to do with the pages of one source, as CSS selectors.

    ``select`` names the elements that hold the article, ``remove`` what is dropped before
    anything is read, ``next_page`` the link to the article's next page (the first match).

    Raises:
        BadSelectorError: one of them is no CSS selector.
    """

    select: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    next_page: str | None = None

    def __post_init__(self) -> None:
        """Refuse what could never match, when it is written and not when a page comes."""
        for selector in (
            *self.select,
            *self.remove,
            *((self.next_page,) if self.next_page else ()),
        ):
            _compiled(selector)


@lru_cache(maxsize=1024)
def _compiled(selector: str) -> CSSSelector:
    try:
        return CSSSelector(selector, translator="html")
    except CssError as error:
        raise BadSelectorError(f"{selector!r} is no CSS selector: {error}") from error


def remove(tree: HtmlElement, rules: PageRules) -> None:
    """Drop, in place, what the rules say is never to be read."""
    for element in _matches(tree, rules.remove):
        if element.getparent() is not None:
            element.drop_tree()


def selected(tree: HtmlElement, rules: PageRules) -> list[HtmlElement]:
    """The elements that hold the article, outermost only, in document order."""
    chosen = set(_matches(tree, rules.select))
    return [element for element in tree.iter() if element in chosen
            and not any(ancestor in chosen for ancestor in element.iterancestors())]  # fmt: skip


def next_page(tree: HtmlElement, url: str, rules: PageRules) -> str | None:
    """The address of the article's next page, if the rules find one that is not this page."""
    if not rules.next_page:
        return None
    links = (
        absolute(element.get("href") or "", url) for element in _matches(tree, (rules.next_page,))
    )
    return next((link for link in links if link and link != url), None)


def _matches(tree: HtmlElement, selectors: Iterable[str]) -> list[HtmlElement]:
    return [element for selector in selectors for element in _compiled(selector)(tree)]
