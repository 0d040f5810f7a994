"""What readers are shown: the chosen blocks of a page as clean HTML and as plain text.

Only structure survives: paragraphs, headings, lists, quotes, tables, preformatted text, links,
emphasis, pictures with their captions. The HTML is built from escaped text and sanitised all the
same.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from lxml.html import HtmlElement

from feeds.clean import sanitise
from feeds.page.blocks import HEADINGS, Block
from feeds.page.density import named_aside
from feeds.page.metadata import absolute

_EMPHASIS = {
    "em": "em", "i": "em", "b": "strong", "strong": "strong", "code": "code", "kbd": "code",
    "sub": "sub", "sup": "sup", "q": "q", "del": "del", "s": "del",
}  # fmt: skip
_LISTS = frozenset({"ul", "ol"})
_SPACES = re.compile(r"\s+")
_SMALL = 120
"""Pixels below which a picture is an icon, a portrait or a counter."""
_SOURCES = ("src", "data-src", "data-original", "data-lazy-src")


@dataclass(frozen=True, slots=True)
class Display:
    """An article for readers: sanitised HTML, and text with paragraphs split by blank lines."""

    html: str
    text: str


def shown(blocks: Sequence[Block], url: str) -> Display:
    """Blocks as HTML and text; pictures (see ``with_pictures``) are among the blocks."""
    pieces = [_Piece.of(block) for block in blocks]
    html, text = [], []
    for frame, group in groupby(pieces, key=lambda piece: piece.frame):
        members = list(group)
        html.append(_html_of(frame, members, url))
        text.append(_text_of(frame, members))
    return Display(
        sanitise("\n".join(part for part in html if part), url),
        "\n\n".join(part for part in text if part),
    )


def with_pictures(kept: Sequence[Block], blocks: Sequence[Block]) -> list[Block]:
    """The kept blocks and, at their places, the pictures between them and just before the first."""
    ids = {id(block) for block in kept}
    places = [at for at, block in enumerate(blocks) if id(block) in ids]
    if not places:
        return list(kept)
    home = _common_ancestor(kept[0].owner, kept[-1].owner)
    start = max(0, places[0] - 12)
    return [
        block
        for block in blocks[start : places[-1] + 1]
        if id(block) in ids or (block.image is not None and _belongs(block.image, home))
    ]


def caption_of(image: HtmlElement) -> str:
    """The caption of a picture: what its figure says."""
    figure = next((ancestor for ancestor in image.iterancestors("figure")), None)
    if figure is None:
        return ""
    captions = list(figure.iter("figcaption")) or [figure]
    return _SPACES.sub(" ", captions[0].text_content()).strip()[:600]


def _common_ancestor(first: HtmlElement, last: HtmlElement) -> HtmlElement | None:
    around = {first, *first.iterancestors()}
    return next((element for element in (last, *last.iterancestors()) if element in around), None)


def _belongs(image: HtmlElement, home: HtmlElement | None) -> bool:
    if _is_small(image):
        return False
    for ancestor in image.iterancestors():
        if ancestor is home or ancestor.tag == "body":
            # an article of one paragraph has no container to look into
            return True
        if ancestor.tag != "figure" and named_aside(ancestor):
            return False
    return False


def _is_small(image: HtmlElement) -> bool:
    sizes = [image.get(side, "").removesuffix("px") for side in ("width", "height")]
    return any(size.isdigit() and int(size) < _SMALL for size in sizes)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A block and the frame it is shown in: its list, table or quote; its own where it has none."""

    block: Block
    frame: HtmlElement | Block
    row: HtmlElement | None = None

    @classmethod
    def of(cls, block: Block) -> "_Piece":
        row = None
        if block.image is None and block.tag not in HEADINGS:
            for element in (block.owner, *block.owner.iterancestors()):
                if element.tag in {"li", "tr"} and row is None:
                    row = element
                elif element.tag in _LISTS | {"table", "blockquote"}:
                    return cls(block, element, row)
                elif element.tag in {"body", "article", "main", "section"}:
                    break
        return cls(block, block)


def _html_of(frame: HtmlElement | Block, pieces: Sequence[_Piece], url: str) -> str:
    if isinstance(frame, Block):
        return _block_html(frame, url)
    if frame.tag == "blockquote":
        paragraphs = "".join(f"<p>{_inline(piece.block, url)}</p>" for piece in pieces)
        return f"<blockquote>{paragraphs}</blockquote>"
    if frame.tag == "table":
        rows = "".join(
            f"<tr>{''.join(_cell(piece.block, url) for piece in row)}</tr>" for row in _rows(pieces)
        )
        return f"<table>{rows}</table>"
    items = "".join(
        f"<li>{'<br>'.join(_inline(piece.block, url) for piece in row)}</li>"
        for row in _rows(pieces)
    )
    tag = str(frame.tag)
    return f"<{tag}>{items}</{tag}>"


def _text_of(frame: HtmlElement | Block, pieces: Sequence[_Piece]) -> str:
    if isinstance(frame, Block):
        return frame.text if frame.image is None else ""
    if frame.tag == "blockquote":
        return "\n\n".join(piece.block.text for piece in pieces)
    joint, mark = (" | ", "") if frame.tag == "table" else (" ", "- ")
    return "\n".join(mark + joint.join(piece.block.text for piece in row) for row in _rows(pieces))


def _rows(pieces: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    return (
        list(row)
        for _, row in groupby(
            pieces, key=lambda piece: piece.block if piece.row is None else piece.row
        )
    )


def _cell(block: Block, url: str) -> str:
    tag = "th" if block.tag == "th" else "td"
    return f"<{tag}>{_inline(block, url)}</{tag}>"


def _block_html(block: Block, url: str) -> str:
    if block.image is not None:
        return _figure(block.image, url)
    if block.tag in HEADINGS:
        # the page's own heading is the title; those of the text come below it
        level = max(2, int(block.tag[1]))
        return f"<h{level}>{_inline(block, url)}</h{level}>"
    if block.tag == "pre":
        return f"<pre>{escape(block.text)}</pre>"
    return f"<p>{_inline(block, url)}</p>"


def _figure(image: HtmlElement, url: str) -> str:
    links = (absolute(image.get(name) or "", url) for name in _SOURCES)
    source = next((link for link in links if link), None)
    if not source:
        return ""
    caption = caption_of(image)
    described = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    picture = f'<img src="{escape(source)}" alt="{escape(image.get("alt") or "")}">'
    return f"<figure>{picture}{described}</figure>"


def _inline(block: Block, url: str) -> str:
    """The inline content of a block, with only the tags that were opened and closed inside it."""
    out: list[str] = []
    open_tags: list[str] = []
    for part in block.parts:
        if isinstance(part, str):
            out.append(escape(_SPACES.sub(" ", part), quote=False))
            continue
        opens, element = part
        if element.tag == "br":
            out.append("<br>" if opens else "")
        elif opens:
            tag, markup = _opening(element, url)
            open_tags.append(tag)
            out.append(markup)
        elif open_tags:
            tag = open_tags.pop()
            out.append(f"</{tag}>" if tag else "")
    out.extend(f"</{tag}>" for tag in reversed(open_tags) if tag)
    return _without_hollow_tags("".join(out)).strip()


def _opening(element: HtmlElement, url: str) -> tuple[str, str]:
    if element.tag == "a":
        link = absolute(element.get("href") or "", url)
        return ("a", f'<a href="{escape(link)}">') if link else ("", "")
    tag = _EMPHASIS.get(str(element.tag), "")
    return tag, f"<{tag}>" if tag else ""


_HOLLOW = re.compile(r"<(a|em|strong|code|sub|sup|q|del)\b[^<>]*>(\s*)</\1>")


def _without_hollow_tags(html: str) -> str:
    return _HOLLOW.sub(r"\2", html).replace("<br> ", "<br>")


def shown_text(text: str, url: str) -> Display:
    """Plain lines as HTML and text, for what has no markup of its own."""
    lines: Iterable[str] = (line.strip() for line in text.splitlines())
    paragraphs = [line for line in lines if line]
    html = "\n".join(f"<p>{escape(line, quote=False)}</p>" for line in paragraphs)
    return Display(sanitise(html, url), "\n\n".join(paragraphs))
