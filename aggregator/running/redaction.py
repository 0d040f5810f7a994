"""What no line of a log may hold, taken out: secrets, and text at length.

Known secrets are those of the configuration. Others stand in addresses: user names and passwords
before the host, and whatever follows a question mark, where many publishers put a reader's key. The
tokens of our own callbacks are secrets too.
"""

import re
from collections.abc import Iterable

MASK = "***"
MOST = 500
"""Characters of a value: enough for any error in words, too few for an article."""
_MOST_OF_A_LINE = 200
_MOST_LINES = 80
_SHORTEST = 4
"""Characters of a secret; what is shorter stands in ordinary words, and is guessed as soon."""
_USERINFO = re.compile(r"(?<=://)[^/\s?#@'\"]+@")
_QUERY = re.compile(r"(?i)(\bhttps?://[^\s?'\"<>]*\?)[^\s'\"<>]+")
_OWN_QUERY = re.compile(r"(?i)\b(token|key|secret|password)=[^\s&'\"<>]+")
_CALLBACK = re.compile(r"(/websub/)[A-Za-z0-9_-]{16,}")


class Redaction:
    """Cleans texts of ``secrets`` and of what looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({one for one in secrets if len(one) >= _SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        """``text`` in one line, cut where it is long."""
        line = self._clean(" ".join(text[: 4 * MOST].split()))
        return line if len(line) <= MOST else f"{line[: MOST - 4]} ..."

    def traceback(self, text: str) -> str:
        """The same of a traceback: its lines stay, and those of its end where there are many."""
        lines = text.splitlines()[-_MOST_LINES:]
        return self._clean("\n".join(line[:_MOST_OF_A_LINE] for line in lines))

    def _clean(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(MASK, text)
        # Each is sought only where it can be: a line is written for every poll.
        if "://" in text:
            text = _QUERY.sub(rf"\1{MASK}", _USERINFO.sub(f"{MASK}@", text))
        if "=" in text:
            text = _OWN_QUERY.sub(rf"\1={MASK}", text)
        return _CALLBACK.sub(rf"\1{MASK}", text) if "/websub/" in text else text
