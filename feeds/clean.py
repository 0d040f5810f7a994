"""Sanitising of HTML: nh3's only home."""

import html as html_entities

import nh3

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "cite", "code", "dd", "del", "div", "dl", "dt", "em",
    "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "ol",
    "p", "pre", "q", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "th",
    "thead", "tr", "u", "ul",
}  # fmt: skip


def sanitise(html: str, base_url: str) -> str:
    """HTML that is safe to show; relative links are resolved against ``base_url``."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "img": {"src", "alt", "title", "width", "height"}},
        url_schemes={"http", "https"},
        link_rel="noopener noreferrer",
        url_relative=("rewrite_with_base", base_url),
    )


def plain_text(html: str) -> str:
    """The text of a fragment of HTML, without its tags."""
    return " ".join(html_entities.unescape(nh3.clean(html, tags=set())).split())
