"""Pages as they lie in files or come from a pipe, for ``newsfold extract``.

Runs in a child process, the reading of the file included, so that a pile of them keeps every core
busy. What cannot be read is a value.
"""

import gzip
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from feeds.model import PageReading
from feeds.page import page_rules
from feeds.page.extract import read_tree
from feeds.page.html_tree import MAX_CHARACTERS, UnreadablePageError, parse_page
from feeds.page.metadata import metadata_of
from feeds.page.page_rules import PageRules

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page that was read, and the address of the next one where the rules find it."""

    reading: PageReading
    next_page: str | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why there is no page, in words."""

    why: str


def read_file(path: Path, url: str, rules: PageRules) -> ReadPage | Unreadable:
    """Read the page in a file, gzipped or not.

    ``url`` is its address; where that is empty, what the page itself calls its address.
    """
    try:
        with path.open("rb") as file:
            body = file.read(MAX_CHARACTERS)
    except OSError as error:
        return Unreadable(f"cannot be read: {error.strerror}")
    return read_body(body, url, None, rules)


def read_body(
    body: bytes, url: str, content_type: str | None, rules: PageRules
) -> ReadPage | Unreadable:
    """Read a page from its bytes, gzipped or not; at most its first twelve megabytes."""
    try:
        tree = parse_page(_unpacked(body), content_type)
        url = url or metadata_of(tree, "").canonical_url or ""
        following = page_rules.next_page(tree, url, rules)
        return ReadPage(read_tree(tree, url, rules=rules), following)
    except (UnreadablePageError, EOFError, OSError, zlib.error) as error:
        return Unreadable(f"cannot be read: {error}")


def _unpacked(body: bytes) -> bytes:
    if not body.startswith(_GZIP):
        return body
    with gzip.GzipFile(fileobj=BytesIO(body)) as file:
        return file.read(MAX_CHARACTERS)
