"""What servers send where a feed or a page is expected: documents made to hurt, or merely broken.
For tests and benchmarks only.
"""
# ruff: noqa: E501 - a document in a line reads better than in five

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from scripted_server import ScriptedServer, endless, hang, head, redirect, reply

KEPT = "A good entry survives"


@dataclass(frozen=True)
class Document:
    """One document. ``is_feed``: whether a poll of it is a success; None where either will do.

    ``keeps`` says that the good entry in it is to be kept.
    """

    name: str
    body: bytes
    is_feed: bool | None = True
    keeps: bool = False
    content_type: str = "application/rss+xml"


def item(number: int, extra: str = "") -> str:
    """An item of words that no other has."""
    words = hashlib.sha256(str(number).encode()).hexdigest()
    words = " ".join(words[at : at + 8] for at in range(0, 64, 8))
    return (
        f"<item><title>{words[:40]}</title><guid isPermaLink='false'>{number}</guid>"
        f"<description>{words}</description>{extra}</item>"
    )


GOOD = f"<item><title>{KEPT}</title><guid>good</guid><description>Text.</description></item>"


def rss(items: str, doctype: str = "", head_of_channel: str = "") -> str:
    return (
        f"<?xml version='1.0'?>{doctype}<rss version='2.0'><channel><title>T</title>"
        f"{head_of_channel}{items}</channel></rss>"
    )


def _document(name: str, text: str, is_feed: bool | None = True, keeps: bool = False) -> Document:
    return Document(name, text.encode("utf-8", "surrogatepass"), is_feed, keeps)


def _laughs() -> str:
    rows = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 12))
    return f"<!DOCTYPE rss [<!ENTITY l0 'ha'>{rows}]>"


def _entity(declared: str) -> str:
    return rss(
        f"<item><title>&x;</title><guid>e</guid></item>{GOOD}", f"<!DOCTYPE rss [{declared}]>"
    )


def _described(html: str) -> str:
    return rss(f"<item><guid>h</guid><description><![CDATA[{html}]]></description></item>{GOOD}")


def _page(body: str, head_of_page: str = "") -> bytes:
    return f"<!doctype html><html><head>{head_of_page}</head><body>{body}</body></html>".encode()


_LINKS = "".join(f"<link rel=alternate type=application/rss+xml href=/f{n}>" for n in range(5_000))
_LATIN = rss(GOOD + item(1, "<category>caf\xe9</category>")).encode("latin-1")

DOCUMENTS: list[Document] = [
    _document("10,000 entries", rss("".join(map(item, range(10_000)))), True),
    _document("10,000 entries of one guid", rss(item(7) * 10_000), True),
    _document("an entity bomb", rss(f"<item><title>&l11;</title></item>{GOOD}", _laughs()), None),
    _document("a quadratic entity", _entity(f"<!ENTITY x '{'a' * 100_000}'>"), None),
    _document("an external entity", _entity("<!ENTITY x SYSTEM 'file:///etc/passwd'>"), None),
    _document("an entity on the network", _entity("<!ENTITY x SYSTEM 'http://169.254.169.254/'>"), None),
    _document("a parameter entity", _entity("<!ENTITY % p SYSTEM 'file:///etc/hostname'> %p;"), None),
    _document(
        "an external DTD", rss(GOOD, "<!DOCTYPE rss SYSTEM 'http://169.254.169.254/x.dtd'>"), None
    ),
    Document("a login page", _page("<form><input type=password></form>"), False, False, "text/html"),
    Document("a login page called a feed", _page("<h1>Please sign in</h1>"), False),
    Document("a page with 5,000 feed links", _page("", _LINKS), False, False, "text/html"),
    Document("a page of one endless word", _page("x" * 800_000), False, False, "text/html"),
    Document("Latin-1 called UTF-8", _LATIN, True, True, "text/xml; charset=utf-8"),
    Document("UTF-8 called UTF-16", rss(GOOD).encode(), True, True, "text/xml; charset=utf-16"),
    Document("UTF-16 without a word of it", rss(GOOD).encode("utf-16"), True, True),
    Document("UTF-32", rss(GOOD).encode("utf-32"), None),
    Document("a charset that there is none", rss(GOOD).encode(), True, True, "text/xml; charset=x-y"),
    Document("a codec that is no charset", rss(GOOD).encode(), True, True, "text/xml; charset=zlib"),
    Document("NUL after every byte", b"".join(bytes([b, 0]) for b in rss(GOOD).encode()), None),
    _document("control characters", rss(f"\x00\x01\x08\x0b\x1f{GOOD}\x7f"), True, True),
    _document("half a surrogate pair", rss(f"<item><title>\ud800</title></item>{GOOD}"), None),
    _document("bare ampersands", rss(f"{GOOD}{item(1, '<category>a & b && c</category>')}"), True, True),
    _document("undeclared prefixes", rss(f"{GOOD}{item(1, '<x:y>z</x:y>')}"), True, True),
    _document("junk after the root", f"{rss(GOOD)}<!-- --></body></html>junk", True, True),
    _document("blank lines before", f"\n\n  \n{rss(GOOD)}", True, True),
    _document("warnings before", f"<br /><b>Warning</b>: mysql\n{rss(GOOD)}", True, True),
    _document("cut in the middle", rss(GOOD + "".join(map(item, range(50))))[:3000], True, True),
    _document("CDATA without end", rss(GOOD)[:-16] + "<item><title><![CDATA[ x", None),
    _document("20,000 nested elements", rss(GOOD + "<a>" * 20_000 + "</a>" * 20_000), None),
    _document("20,000 unclosed elements", rss(GOOD + "<a>" * 20_000), None),
    _document("50,000 nested divs in a text", _described("<div>" * 50_000), None),
    _document("50,000 attributes", rss(f"<item {' '.join(f'a{n}=1' for n in range(50_000))}/>{GOOD}"), None),
    _document("50,000 attributes in a text", _described(f"<p {' '.join(f'a{n}=1' for n in range(50_000))}>"), None),
    _document("5,000 namespaces", rss(GOOD).replace("<rss", "<rss " + " ".join(f"xmlns:n{n}='u:{n}'" for n in range(5_000))), None),
    _document("an author of 62 kB", rss(f"<item><author>{'a@' * 31_000}</author></item>{GOOD}"), None),
    _document("a style of 31 kB of spaces", _described(f"<p style='color{' ' * 31_000}'>x"), None),
    _document("a title of 1 MB", rss(f"<item><title>{'t' * 1_000_000}</title></item>{GOOD}"), True, True),
    _document("a guid of 500 kB", rss(f"<item><guid>{'g' * 500_000}</guid><title>t</title></item>{GOOD}"), True, True),
    _document("a link of 100 kB", rss(f"<item><guid>l</guid><link>http://x/{'l' * 100_000}</link></item>{GOOD}"), True, True),
    _document("a comment of 1 MB", rss(f"<!--{'c' * 1_000_000}-->{GOOD}"), True, True),
    _document("20,000 enclosures", rss(item(1, "<enclosure url='http://x/e.mp3'/>" * 20_000) + GOOD), True, True),
    _document("20,000 categories", rss(item(1, "".join(f"<category>{n}</category>" for n in range(20_000))) + GOOD), True, True),
    _document("5,000 hubs", rss(GOOD, "", "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='hub' href='http://h/'/>" * 5_000), True, True),
    _document("script in every place", rss(f"<item><title>&lt;script&gt;alert(1)&lt;/script&gt;</title><link>javascript:alert(1)</link><description>&lt;img src=x onerror=alert(1)&gt;</description></item>{GOOD}"), True, True),
    _document("a base of file:///", rss(f"<item xml:base='file:///etc/'><link>passwd</link><guid>b</guid></item>{GOOD}"), True, True),
    _document("dates of all ages", rss("".join(item(n, f"<pubDate>{d}</pubDate>") for n, d in enumerate(("0001-01-01", "1899-12-30", "1970-01-01", "9999-12-31", "Mon, 99 Foo 2026", "1" * 80, "2026-11-22T25:61:61Z"))) + GOOD), True, True),
    _document("a ttl without end", rss(GOOD, "", f"<ttl>{'9' * 5_000}</ttl>"), True, True),
    _document("every hour and day skipped", rss(GOOD, "", "<skipHours>" + "".join(f"<hour>{h}</hour>" for h in range(24)) + "</skipHours>"), True, True),
    Document("JSON nested 100,000 deep", b'{"items":' + b"[" * 100_000, False),
    Document("JSON of wrong types", json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [1, None, [], {"id": {}, "title": []}, {"id": "good", "title": KEPT, "content_text": "x"}]}).encode(), True, True),
    Document("JSON that is no feed", b'{"error": "rate limited"}', False),
    Document("a JSON number of 100,000 digits", b'{"version":"https://jsonfeed.org/version/1","items":[{"id":' + b"1" * 100_000 + b"}]}", None),
    Document("nothing at all", b"", False),
    Document("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400, False),
    Document("a ZIP file", b"PK\x03\x04" + bytes(200_000), False),
    Document("plain text", b"Service unavailable, try again later.", False),
    Document("SVG", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", False),
    Document("an OPML list", b"<opml version='2.0'><body><outline xmlUrl='http://x/'/></body></opml>", False),
]  # fmt: skip

ROBOTS = (b"User-agent: *\n" + b"".join(b"Disallow: /*%d$\n" % n for n in range(40_000)))[:500_000]

PAGES: dict[str, Callable[[ScriptedServer, str], object]] = {
    # Behaviours of the pages that the entries of a feed lead to.
    "hangs": lambda server, path: server.on(path, hang()),
    "never ends": lambda server, path: server.on(path, endless(head(200), b"<p>" * 2000)),
    "leads to itself": lambda server, path: server.on(path, redirect(path)),
    "leads to a private address": lambda server, path: server.on(
        path, redirect("http://10.1.1.1/")
    ),
    "nests without end": lambda server, path: server.on(
        path, reply(200, _page("<div>" * 200_000), Content_Type="text/html")
    ),
    "holds 50,000 attributes": lambda server, path: server.on(
        path,
        reply(
            200,
            _page(f"<p {' '.join(f'a{n}=1' for n in range(50_000))}>x"),
            Content_Type="text/html",
        ),
    ),
    "is a picture": lambda server, path: server.on(
        path, reply(200, b"\x89PNG", Content_Type="image/png")
    ),
}


def feed_of(*links: str) -> bytes:
    """A feed whose entries lead to these pages."""
    rows = (f"<link>{link}</link>" for link in links)
    return rss("".join(item(n, link) for n, link in enumerate(rows))).encode()
