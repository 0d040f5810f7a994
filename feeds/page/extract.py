"""Reading one article page: bytes in, a PageReading out, whatever the bytes are.

1. decode and parse (feeds/page/html_tree.py)
2. collect what the page says of itself (feeds/page/metadata.py) and of what stands before it
   (feeds/page/walls.py)
3. apply the operator's rules for the site (feeds/page/page_rules.py)
4. read the blocks of the page by density (feeds/page/density.py) and with resiliparse; where the
   two differ on more than a few words, with trafilatura too; vote (feeds/page/vote.py)
5. drop the title and the furniture (feeds/page/furniture.py)
6. make the display (feeds/page/display.py) and the matching text (feeds/page/matching_text.py)

Pure: no network, no clock, no state but the libraries' caches. It may run for very long on a page
made to harm, so callers run it in a process they can kill.
"""

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace

from lxml.html import HtmlElement, tostring

from feeds.model import DateSource, PageReading
from feeds.page import furniture, page_rules, second_readings, walls
from feeds.page.blocks import HEADINGS, Block, blocks_of
from feeds.page.byline import printed_authors
from feeds.page.density import densest
from feeds.page.display import Display, shown, shown_text, with_pictures
from feeds.page.html_tree import UnreadablePageError, bound, parse_page, strip_dead_weight
from feeds.page.matching_text import matching_lines
from feeds.page.metadata import PageMetadata, metadata_of, parse_time
from feeds.page.page_rules import PageRules
from feeds.page.vote import Heard, elect, settled, size_of
from feeds.page.wire import dateline_of, wire_evidence

_VISIBLE = 3000
_FULL = 200
"""Words from which an article is not short."""
_HANDLE = re.compile(r"[a-z0-9._-]+$")
"""A user's name, which some publishing systems give for the author."""
_LOST = 0.5
_LABELS = 6


@dataclass(frozen=True, slots=True)
class _Page:
    """What is known of a page before its article is found."""

    url: str
    headline: str | None
    metadata: PageMetadata
    signs: walls.PageSigns
    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class _Main:
    """The article's blocks (or lines, where no block was found), and how they were found."""

    blocks: list[Block]
    lines: list[str]
    agreement: float
    how: str
    by_rule: bool = False


def read_page(
    html: bytes,
    url: str,
    *,
    content_type: str | None = None,
    headline: str | None = None,
    rules: PageRules | None = None,
) -> PageReading:
    """Read the article at ``url`` (its final address, after redirects).

    ``content_type`` is the HTTP header; ``headline`` what the feed calls the article, if it does.
    A page that cannot be read, or that is a wall, is a value too: its ``reasons`` say why.
    """
    try:
        tree = parse_page(html, content_type)
    except UnreadablePageError as error:
        return PageReading(url, headline or "", "", "", "", reasons=(str(error),))
    return read_tree(tree, url, headline=headline, rules=rules)


def read_tree(
    tree: HtmlElement, url: str, *, headline: str | None = None, rules: PageRules | None = None
) -> PageReading:
    """The same of a page that is parsed already; its tree is taken apart."""
    metadata = metadata_of(tree, url)
    signs = walls.signs_of(tree)
    strip_dead_weight(tree)
    bound(tree)
    metadata = _with_guesses(metadata, tree, url)
    if rules:
        page_rules.remove(tree, rules)
    body = _body(tree)
    blocks = blocks_of(body)
    main = _selected(tree, rules) or _main(tree, body, blocks, url)
    return _assembled(_Page(url, headline, metadata, signs, blocks), main)


def next_page_of(
    html: bytes, url: str, *, content_type: str | None = None, rules: PageRules
) -> str | None:
    """The address of the article's next page, by the rules; None at the last."""
    try:
        return page_rules.next_page(parse_page(html, content_type), url, rules)
    except UnreadablePageError:
        return None


def joined(pages: Sequence[PageReading]) -> PageReading:
    """One reading of an article in several pages, in order; the first says what it is.

    What is said of the text's origin may stand on the last; a later page that is a wall is left
    out.
    """
    first, *later = pages
    if not later:
        return first
    whole = [first, *(page for page in later if not page.wall)]
    signs = [page.wire for page in whole if page.wire]
    lines = (line for page in whole for line in page.matching_text.splitlines())
    return replace(
        first,
        text="\n\n".join(page.text for page in whole if page.text),
        html="\n".join(page.html for page in whole if page.html),
        matching_text="\n".join(dict.fromkeys(lines)),
        wire=max(signs, key=lambda sign: sign.strength, default=None),
        reasons=(*first.reasons, f"joined from {len(whole)} pages"),
    )


def _with_guesses(metadata: PageMetadata, tree: HtmlElement, url: str) -> PageMetadata:
    """The metadata with a guess of the date, where the page states none."""
    if metadata.published:
        return metadata
    guess = parse_time(second_readings.guessed_date(copy(tree), url) or "")
    source = DateSource.GUESSED if guess else None
    return replace(metadata, published=guess, published_source=source)


def _body(tree: HtmlElement) -> HtmlElement:
    body = tree.find("body")
    return tree if body is None else body


def _selected(tree: HtmlElement, rules: PageRules | None) -> _Main | None:
    if not rules or not rules.select:
        return None
    blocks = [block for element in page_rules.selected(tree, rules) for block in blocks_of(element)]
    if not blocks:
        return None
    return _Main(blocks, [], 1.0, "selected by the source's rule", by_rule=True)


def _main(tree: HtmlElement, body: HtmlElement, blocks: list[Block], url: str) -> _Main:
    dense = densest(blocks, body)
    other = Heard(second_readings.resiliparse_text(tostring(tree, encoding="unicode")))
    chosen = settled(blocks, dense, other)
    if chosen:
        return _Main(chosen, [], 1.0, "two readings agree")
    text = _careful(tree, url, size_of(dense))
    third = Heard(text)
    chosen = elect(blocks, dense, third, other.again())
    size = size_of(chosen)
    if size:
        agreement = size / max(size, third.size, other.size)
        return _Main(chosen, [], agreement, "chosen by vote of three readings")
    return _Main([], text.splitlines(), 0.3, "only trafilatura found a text")


def _careful(tree: HtmlElement, url: str, expected: int) -> str:
    """Trafilatura's reading: the fast one, unless it lost most of the ``expected`` words."""
    text = second_readings.trafilatura_text(copy(tree), url)
    if len(furniture.words(text)) >= _LOST * expected:
        return text
    return second_readings.trafilatura_text(copy(tree), url, fast=False)


def _assembled(page: _Page, main: _Main) -> PageReading:
    headline = (page.headline,) if page.headline else ()
    names = (*headline, *page.metadata.titles, *page.metadata.authors)
    kept, lines = _without_furniture(main, names)
    labels = 0 if main.by_rule else _labels_before(kept)
    display = (
        shown(with_pictures(kept[labels:], page.blocks), page.url)
        if kept
        else shown_text("\n".join(lines), page.url)
    )
    return _reading(page, main, lines, matching_lines(lines[labels:]), display)


def _wall(page: _Page, lines: Sequence[str]) -> walls.Wall | None:
    return walls.wall_of(
        url=page.url,
        title=_title(page),
        text="\n".join(lines),
        visible=" ".join(block.text for block in page.blocks[:400])[:_VISIBLE],
        signs=page.signs,
        free=page.metadata.free,
        types=page.metadata.types,
    )


def _title(page: _Page) -> str:
    return next(iter(page.metadata.titles), page.headline or "")


def _without_furniture(main: _Main, names: Sequence[str]) -> tuple[list[Block], list[str]]:
    blocks = [block for block in main.blocks if block.text]
    lines = [block.text for block in blocks] or [line for line in main.lines if line.strip()]
    kept = furniture.body_lines(lines, names)
    return [blocks[at] for at in kept] if blocks else [], [lines[at] for at in kept]


def _labels_before(blocks: Sequence[Block]) -> int:
    """How many labels ("Opinion", "3 min", a dateline of its own) stand before the article."""
    first = blocks[:_LABELS]
    more = (at for at, block in enumerate(first) if not _is_label(block))
    return next(more, 0)  # a long row of short lines is what the article is made of


def _is_label(block: Block) -> bool:
    return block.tag not in HEADINGS and furniture.is_label(block.text)


def _reading(
    page: _Page, main: _Main, lines: list[str], written: list[str], display: Display
) -> PageReading:
    metadata = page.metadata
    authors = _authors(page, main)
    wall = _wall(page, lines)
    datelines = [dateline for line in lines[:3] if (dateline := dateline_of(line))]
    return PageReading(
        url=page.url,
        title=_title(page),
        text=display.text,
        html=display.html,
        matching_text="\n".join(written),
        authors=authors,
        publisher=metadata.publisher,
        published=metadata.published,
        published_source=metadata.published_source,
        modified=metadata.modified,
        language=_language(metadata.language, "\n".join(written)),
        canonical_url=metadata.canonical_url,
        image=metadata.image,
        wire=wire_evidence(lines, authors),
        place=next((line.place for line in datelines if line.place), None),
        wall=wall.kind if wall else None,
        quality=0.0 if wall else _quality(written, main.agreement),
        reasons=_reasons(main, wall, metadata),
    )


def _authors(page: _Page, main: _Main) -> tuple[str, ...]:
    """Whom the page states; who is printed over the text where it states nobody in particular."""
    stated, publisher = page.metadata.authors, page.metadata.publisher or ""
    if any(not (_HANDLE.match(name) or furniture.same_words(name, publisher)) for name in stated):
        return stated
    return printed_authors(page.blocks, next(iter(main.blocks), None)) or stated


def _reasons(main: _Main, wall: walls.Wall | None, metadata: PageMetadata) -> tuple[str, ...]:
    reasons = [main.how]
    if wall:
        reasons.append(f"{wall.kind}: {wall.sign}")
    if metadata.published_source is DateSource.GUESSED:
        reasons.append("the time is guessed")
    return tuple(reasons)


def _quality(lines: Sequence[str], agreement: float) -> float:
    """How far the text can be trusted, 0 to 1: by its length and how the readings agree."""
    size = sum(len(furniture.words(line)) for line in lines)
    return round(min(1.0, size / _FULL) * (0.5 + 0.5 * agreement), 3)


def _language(said: str | None, text: str) -> str | None:
    # a page's own word is often its template's; two thousand characters know better
    heard = second_readings.language_of(text) if not said or len(text) > 2000 else None
    return heard or said
