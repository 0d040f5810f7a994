"""What a site shows after a round over hostile sources: collected as clients get it, and judged."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import aiohttp
from lxml import etree
from lxml import html as lxml_html
from lxml.html import HtmlElement

from storage.values.source import SourceHealth

FORMS = ("atom", "rss", "json")
LINK = r'href="(?:https://news\.example)?(/(?:\?|story/|source/|sources\?)[^"]*)"'
MOST = 150
"""Pages that are looked at."""
_ADDRESSES = ("href", "src", "action", "cite", "poster", "data", "formaction", "srcset")
_ACTIVE = ("script", "iframe", "object", "embed", "base", "meta[@http-equiv]", "svg//script")
_PARSER = etree.XMLParser(resolve_entities=False)


@dataclass
class Shown:
    """Every page and feed that can be come by from the front page, by its path."""

    pages: dict[str, str] = field(default_factory=dict)
    feeds: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    async def by(cls, session: aiohttp.ClientSession, url: str) -> "Shown":
        """Ask for all of it."""
        found = cls()
        ahead = [
            "/",
            "/sources",
            *(f"/{name}.{form}" for name in ("feed", "status") for form in FORMS),
        ]
        known = set(ahead)
        while ahead and len(found.pages) < MOST:
            path = ahead.pop(0)
            async with session.get(urljoin(url, path)) as response:
                body = await response.read()
                assert response.status == 200, path
            if response.content_type != "text/html":
                found.feeds[path] = body
                continue
            found.pages[path] = body.decode()
            links = re.findall(LINK, body.decode())
            new = [link for link in map(html.unescape, links) if link not in known]
            known.update(new)
            lists = [link for link in new if not link.startswith(("/story", "/source/"))]
            ahead = lists + ahead + [link for link in new if link not in lists]
        assert len(found.pages) >= 100
        return found

    def fragments(self) -> Iterator[tuple[str, str]]:
        """The HTML that feeds carry inside, with where it stands."""
        for path, body in self.feeds.items():
            if path.endswith(".json"):
                text = body.decode()
                yield from (
                    (path, found) for found in re.findall(r'"content_html": ?"(.*?[^\\])"', text)
                )
                continue
            for node in etree.fromstring(body, _PARSER).iter(
                "{*}content", "{*}summary", "{*}encoded"
            ):
                yield path, "".join(node.itertext())


def check_harmless(shown: Shown) -> None:
    """No script, and no address but http(s) ones, in any page or feed."""
    for path, page in shown.pages.items():
        check_tree(path, lxml_html.fromstring(page))
    for path, fragment in shown.fragments():
        if fragment.strip():
            check_tree(path, lxml_html.fragment_fromstring(fragment, create_parent="div"))


def check_tree(path: str, tree: HtmlElement) -> None:
    for name in _ACTIVE:
        assert not tree.xpath(f".//{name}"), (path, name)
    for element in tree.iter():
        for name, value in element.attrib.items():
            assert not str(name).lower().startswith("on"), (path, name)
            if name in _ADDRESSES:
                scheme = urlsplit(str(value).strip()).scheme
                assert scheme in {"", "http", "https"}, (path, value)


def check_told(shown: Shown, health: dict[str, SourceHealth]) -> None:
    """The sources pages say of each bad source what is wrong with it, and nothing of good ones."""
    said = [" ".join(lxml_html.fromstring(page).text_content().split()) for page in sources(shown)]
    text = " ".join(said)
    for name, one in health.items():
        if one.last_error:
            assert name[:70] in text, name
            assert " ".join(one.last_error.split())[:60] in text, (name, one.last_error)


def sources(shown: Shown) -> list[str]:
    return [page for path, page in shown.pages.items() if path.startswith("/sources")]


def check_there(shown: Shown, titles: list[str]) -> None:
    """The merged feed has every good source's story, in each format."""
    for form in FORMS:
        body = shown.feeds[f"/feed.{form}"].decode()
        for title in titles:
            assert title in body, (form, title)
