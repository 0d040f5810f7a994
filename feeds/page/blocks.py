"""The blocks of a page: paragraphs, headings, list items, cells and pictures, in order.

A block is a run of text that no block-level element interrupts. Nothing is judged here; a block
remembers its element, so that a reader can judge it by where it stands.
"""

from dataclasses import dataclass

from lxml import etree
from lxml.html import HtmlElement

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_INLINE = frozenset(
    [
        "a",
        "b",
        "i",
        "em",
        "strong",
        "span",
        "u",
        "sub",
        "sup",
        "code",
        "small",
        "mark",
        "abbr",
        "cite",
        "time",
        "q",
        "s",
        "del",
        "ins",
        "font",
        "kbd",
        "var",
        "samp",
        "br",
        "wbr",
        "img",
        "picture",
        "tt",
        "big",
        "acronym",
        "bdi",
        "bdo",
        "data",
        "dfn",
        "noindex",
        "nobr",
        "strike",
    ]
)
_UNREADABLE = frozenset(
    [
        "script",
        "style",
        "noscript",
        "select",
        "svg",
        "iframe",
        "template",
        "textarea",
        "object",
        "button",
        "video",
        "audio",
        "head",
        "canvas",
        "math",
        "input",
        "option",
    ]
)

Part = str | tuple[bool, HtmlElement]
"""A piece of a block's inline content: text, or an inline element opening (True) or closing."""


@dataclass(slots=True, eq=False)
class Block:
    """One run of text, or one picture (then ``text`` is empty and ``image`` set).

    ``owner`` is the nearest block-level element. ``link_chars`` counts the characters in links.
    """

    owner: HtmlElement
    text: str
    link_chars: int = 0
    parts: tuple[Part, ...] = ()
    image: HtmlElement | None = None

    @property
    def tag(self) -> str:
        """The owner's tag name."""
        return str(self.owner.tag)

    @property
    def linked(self) -> float:
        """The share of the text that is in links, 0 to 1."""
        return min(1.0, self.link_chars / max(1, len(self.text)))


def blocks_of(root: HtmlElement) -> list[Block]:
    """All blocks under ``root``, in document order, whatever they are."""
    walk = etree.iterwalk(root, events=("start", "end"))
    collector = _Collector(root)
    for event, element in walk:
        tag = str(element.tag)
        if event == "start":
            if tag in _UNREADABLE:
                walk.skip_subtree()
                continue
            collector.enter(element, tag)
            if element.text:
                collector.add(element.text)
        else:
            if tag not in _UNREADABLE:
                collector.leave(element, tag)
            if element.tail and element is not root:
                collector.add(element.tail)
    collector.flush()
    return collector.blocks


class _Collector:
    """Gathers inline content until a block-level border, which makes it a block."""

    def __init__(self, root: HtmlElement) -> None:
        self.blocks: list[Block] = []
        self._owners = [root]
        self._parts: list[Part] = []
        self._link_chars = 0
        self._open_links = 0
        self._preformatted = 0

    def enter(self, element: HtmlElement, tag: str) -> None:
        if tag not in _INLINE:
            self.flush()
            self._owners.append(element)
            self._preformatted += tag == "pre"
        elif tag == "img":
            self.flush()
            self.blocks.append(Block(self._owners[-1], "", image=element))
        else:
            self._parts.append((True, element))
            if tag == "a":
                self._open_links += 1
            elif tag == "br":
                self._parts.append("\n")

    def leave(self, element: HtmlElement, tag: str) -> None:
        if tag not in _INLINE:
            self.flush()
            self._owners.pop()
            self._preformatted -= tag == "pre"
        elif tag != "img":
            self._parts.append((False, element))
            self._open_links -= tag == "a"

    def add(self, text: str) -> None:
        self._parts.append(text)
        if self._open_links:
            self._link_chars += len(text)

    def flush(self) -> None:
        if not self._parts:
            return
        raw = "".join([part for part in self._parts if isinstance(part, str)])
        text = raw.strip("\n") if self._preformatted else " ".join(raw.split())
        if text and not text.isspace():
            block = Block(self._owners[-1], text, self._link_chars, tuple(self._parts))
            self.blocks.append(block)
        self._parts, self._link_chars = [], 0
