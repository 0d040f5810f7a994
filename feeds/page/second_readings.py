"""What libraries make of a page: the only home of trafilatura, htmldate and resiliparse.

They give plain text here; what is kept of it is decided by vote (feeds/page/vote.py), and the
page's own markup is what is shown.
"""

import logging
from collections.abc import Iterator
from itertools import count

import trafilatura
import trafilatura.meta
from htmldate import find_date
from lxml.html import HtmlElement
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.lang import detect_fast

_SURE = 560
"""Distance up to which resiliparse's guess of a language holds; it gives up at 1,200."""
# those of the press: small neighbours (Frisian, Luxembourgish, Esperanto) draw away short texts
_LANGUAGES = [
    "af", "ar", "az", "be", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi",
    "fr", "gu", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "ka", "kk", "km", "kn", "ko",
    "lt", "lv", "mk", "ml", "mn", "mr", "my", "ne", "nl", "no", "pa", "pl", "pt", "ro", "ru", "si",
    "sk", "sl", "so", "sq", "sr", "sv", "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "uz", "vi",
    "zh",
]  # fmt: skip
_RESET_EVERY = 500
_pages_read: Iterator[int] = count(1)

# Every odd page logs; what was made of it is told in the reading's reasons.
for _library in ("trafilatura", "htmldate"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)


def forget_now_and_then(pages_read: int) -> bool:
    """Empty the libraries' caches, which only grow, at every 500th page; whether it was done."""
    if pages_read % _RESET_EVERY:
        return False
    trafilatura.meta.reset_caches()
    return True


def trafilatura_text(tree: HtmlElement, url: str, *, fast: bool = True) -> str:
    """Trafilatura's main text, favouring precision; empty when it finds none.

    ``fast`` goes without its own second opinions, for three fifths of the time. Takes the tree
    apart: hand it a copy. Never with ``deduplicate=True``, whose process-wide cache returns nothing
    for the third copy of a text.
    """
    forget_now_and_then(next(_pages_read))
    document = trafilatura.bare_extraction(
        tree, url=url, fast=fast, favor_precision=True, include_comments=False, deduplicate=False
    )
    text = getattr(document, "text", None)
    return text if isinstance(text, str) else ""


def guessed_date(tree: HtmlElement, url: str) -> str | None:
    """Htmldate's guess of the day of publication (ISO 8601), from what is printed on the page.

    For pages that do not state it; right three times in four. That it may not lie in the future
    is for the caller to see to.
    """
    day: str | None = find_date(
        tree, url=url, original_date=True, extensive_search=False, max_date="2100-01-01"
    )
    return day


def resiliparse_text(html: str) -> str:
    """Resiliparse's main text, in a few milliseconds."""
    return extract_plain_text(html, main_content=True, alt_texts=False, comments=False)


def language_of(text: str) -> str | None:
    """The language a text is written in (ISO 639-1); None for too little text or no sure one."""
    if len(text) < 100:
        return None
    language, distance = detect_fast(text[:3000], langs=_LANGUAGES)
    return language if distance <= _SURE and language != "unknown" else None
