"""Whether what an article says has changed so much that readers shall see its story again. Pure.

A corrected comma or a better word is no news; another number, name in the title or paragraph is.
"""

import hashlib
import re
from collections import Counter

from storage.values.extract import EarlierReading

_SLIGHT = 0.03
"""Share of the words that may differ."""
_WORD = re.compile(r"\w+")


def text_hash(title: str, text: str) -> str:
    """Names what an article says, whatever its white space, punctuation and capitals."""
    words = _WORD.findall(f"{title} {text}".casefold())
    return hashlib.sha256(" ".join(words).encode()).hexdigest()


def materially_changed(earlier: EarlierReading, title: str, text: str) -> bool:
    """Whether title and text say something else than they did when they were read before."""
    if _words(earlier.title) != _words(title):
        return True
    before, after = _words(earlier.text), _words(text)
    gone, come = before - after, after - before
    if any(word.isdecimal() for word in (*gone, *come)):
        return True
    return max(gone.total(), come.total()) > _SLIGHT * max(before.total(), after.total())


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.casefold()))
