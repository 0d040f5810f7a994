"""The text that articles are compared by: what its author wrote, and nothing around it.

Captions, credits, bylines, datelines, related links, end credits and pleas are what two copies of
one text differ in, and what two texts on different events share. They are dropped here, from a
page's lines or from a feed's own HTML. What they say of agency and place is kept elsewhere
(feeds/page/wire.py).
"""

import re
from collections.abc import Sequence

from feeds.page.agencies import agency_named, names_pattern
from feeds.page.blocks import Block, blocks_of
from feeds.page.density import named_aside
from feeds.page.furniture import body_lines, is_byline, words
from feeds.page.html_tree import UnreadablePageError, parse_html, strip_dead_weight
from feeds.page.phrases import alternatives, phrases
from feeds.page.wire import dateline_of, is_end_credit

_CREDIT = re.compile(rf"{alternatives('credit')}|\b(?:{names_pattern()})\b", re.IGNORECASE)
_TRAILING = re.compile(r"\s*[(\[\uff08]([^()\[\]\uff08\uff09]{2,120})[)\]\uff09]\s*\.?$")
_NAME_LIKE = re.compile(
    r"^(?:[A-Z0-9À-ÞА-Я][\w.'\u2019&-]*"
    r"|of|the|and|for|de|du|des|la|le|der|die|das|von|und|del|di|e|y|i|и|van|/|,|-|\s)+$"
)
_CREDIT_LINE = phrases("credit_line")
_SENTENCE_END = re.compile(r"[.!?\u3002\uff01\uff1f\u2026\"\u201d\u00bb\u2019]\s*$")
_TWO_NAMES = re.compile(r"\w/[A-Z]|\s(?:via|/)\s")
_CAPTION_WORDS = 70
_SIGNED_WORDS = 30
_CAPTION_CHARACTERS = 450
_HEAD, _FOOT = 3, 5
_LINK_LIST = 0.6
_HTML = re.compile(
    r"<(?:p|br|div|a|[uo]l|li|h\d|img|figure|blockquote|table|span|em|strong|b|i)\b[^<>]*>|</\w+>",
    re.IGNORECASE,
)


def matching_text_of(html_or_text: str, title: str) -> str:
    """The matching text of a feed's own HTML or plain text (paragraphs on lines of their own)."""
    lines = html_lines(html_or_text) if _HTML.search(html_or_text) else html_or_text.splitlines()
    lines = [" ".join(line.split()) for line in lines if line.strip()]
    kept = body_lines(lines, [title] if title else [])
    return "\n".join(matching_lines([lines[at] for at in kept]))


def html_lines(html: str) -> list[str]:
    """The lines of a fragment of HTML, without its captions, lists of links and asides."""
    try:
        tree = parse_html(html)
    except UnreadablePageError:
        return []
    strip_dead_weight(tree)
    return [block.text for block in blocks_of(tree) if block.text and not _around_the_text(block)]


def _around_the_text(block: Block) -> bool:
    if block.linked > _LINK_LIST and len(words(block.text)) < 25:
        return True
    return named_aside(block.owner) or any(
        ancestor.tag == "figure" for ancestor in block.owner.iterancestors()
    )


def matching_lines(lines: Sequence[str]) -> list[str]:
    """The lines that were written as the article, in order, each once.

    ``lines`` are without furniture (``furniture.body_lines``).
    """
    kept: dict[tuple[str, ...], str] = {}
    for at, line in enumerate(lines):
        text = _written(line, at, len(lines) - at - 1)
        if text:
            kept.setdefault(tuple(words(text)), text)
    return [text for key, text in kept.items() if key]


def _written(line: str, before: int, after: int) -> str:
    """What remains of a line with ``before`` lines before it and ``after`` lines after."""
    if is_photo_credit(line):
        return ""
    if (before < _HEAD or after < _HEAD) and is_byline(line):
        return ""
    if after < _FOOT and is_end_credit(line):
        bare = without_trailing_credit(line)
        return bare if bare != line and len(words(bare)) > 8 else ""
    if after and is_caption(line):
        return ""
    dateline = dateline_of(line) if before < _HEAD else None
    return without_trailing_credit(line[dateline.length :] if dateline else line)


def is_photo_credit(line: str) -> bool:
    """Whether a line starts or ends as a credit to a picture does."""
    return len(line) < 300 and len(words(line)) <= 30 and bool(_CREDIT_LINE.search(line))


def is_caption(line: str) -> bool:
    """Whether a line is a caption by its end: a name in brackets after the last sentence."""
    found = _bracketed_end(line)
    if not found or len(line) > _CAPTION_CHARACTERS:
        return False
    # an agency alone may as well sign a report's last paragraph, which is longer than a caption
    if len(words(line)) > (_SIGNED_WORDS if agency_named(found[1]) else _CAPTION_WORDS):
        return False
    if _SENTENCE_END.search(line[: found.start()]):
        return bool(_NAME_LIKE.match(found[1]) or _CREDIT.search(found[1]))
    return bool(_TWO_NAMES.search(found[1]))


def without_trailing_credit(line: str) -> str:
    """A line without the agency or photographer in brackets at its end."""
    found = _bracketed_end(line)
    return line[: found.start()].rstrip() if found and _CREDIT.search(found[1]) else line


def _bracketed_end(line: str) -> re.Match[str] | None:
    """What a line has in brackets at its end, if it could name someone: no sentence, no number."""
    found = _TRAILING.search(line)
    if not found or len(found[1].split()) > 10 or found[1].rstrip()[-1:] in set(".!?"):
        return None
    return None if any(map(str.isdigit, found[1])) else found
