"""Text that any XML, HTML or JSON document may carry, whatever a source sent.

What is cleaned: characters that XML 1.0 forbids and those that make validators complain (C1
controls, noncharacters, U+FFFD); and, in one-line texts, controls that turn the direction of what
follows. What is not: markup. Escaping is the serialiser's business and sanitising is done on the
way in.
"""

import re
from html.entities import name2codepoint

# What documents may carry: XML 1.0's Char less C1 controls, carriage returns, noncharacters and
# U+FFFD. The commonest range stands first because the ranges are tried in turn.
_PLANES = "".join(f"{chr(p << 16)}-{chr((p << 16) + 0xFFFD)}" for p in range(1, 17))
_WANTED = "[ -~\n\t\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffc" + _PLANES + "]"
_CLEAN = re.compile(_WANTED + "*+")
_UNWANTED = re.compile(_WANTED.replace("[", "[^", 1))
# A C1 control is a windows-1252 character whose encoding was mislabelled: the HTML standard reads
# &#147; as a quotation mark for the same reason.
_REPLACEMENTS = {
    **{chr(c): bytes([c]).decode("cp1252", "ignore") for c in range(0x80, 0xA0)},
    "\r": "\n",
    "\ufffd": "?",
}

# Embeddings, overrides and isolates (Unicode Bidirectional Algorithm, UAX 9). The marks LRM, RLM
# and ALM stay: they end with themselves.
_BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile("[ \t\n\u2028\u2029]+")
# What must not end a cut text: a joiner or a variation selector without what it joins.
_DANGLING = " \u200d\ufe0e\ufe0f"
_MARKUP = re.compile(r"</\w+>|&(#?\w+)")


def clean_text(text: str) -> str:
    """Return ``text`` without what documents may not carry; lines and direction stay."""
    if _CLEAN.fullmatch(text):
        return text
    return _UNWANTED.sub(lambda match: _REPLACEMENTS.get(match[0], ""), text)


def one_line(text: str, limit: int) -> str:
    """Return ``text`` as one line of at most ``limit`` characters for a title or a name.

    White space is collapsed, direction controls are dropped so that they cannot turn what a reader
    shows around the text, and a text that is too long ends in an ellipsis at a word border.
    """
    # Nearly all texts are as they should be. What is printable holds no white space but spaces.
    if (
        len(text) <= limit
        and text.isprintable()
        and text[:1] != " "
        and text[-1:] != " "
        and "  " not in text
        and "\ufffd" not in text
    ):
        return text
    head = text.strip()[: limit * 4]
    line = _SPACES.sub(" ", _BIDI_CONTROLS.sub("", clean_text(head))).strip()
    complete = len(line) <= limit and len(text.strip()) == len(head)
    return line if complete else _cut(line, limit)


def _cut(line: str, limit: int) -> str:
    head = line[: limit - 1]
    space = head.rfind(" ", limit * 4 // 5)
    return (head[:space] if space > 0 else head).rstrip(_DANGLING) + "…"


def reads_as_markup(text: str) -> bool:
    """Whether plain ``text`` would be mistaken for escaped HTML: it holds an end tag or an entity.

    ``S&P500`` is, ``AT&T`` is not: the W3C validator's measure, which knows how readers guess.
    """
    return ("&" in text or "</" in text) and any(
        match[1] is None or not match[1].isalpha() or match[1] in name2codepoint
        for match in _MARKUP.finditer(text)
    )
