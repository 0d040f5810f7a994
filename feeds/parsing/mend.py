"""Almost-XML made well-formed: what feeds get wrong most often, and no more.

Text in, text out. What this cannot mend is left for ``feedparser``, which reads tag soup.
"""

import re
from html import escape
from html.entities import html5

# To the end of the text where they are not closed, so that it is looked for once.
_OPAQUE = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z))", re.DOTALL)
_IN_CDATA = r"(?:(?!\]\]>|<!\[CDATA\[).)*"
_NESTED_CDATA = re.compile(
    rf"<!\[CDATA\[{_IN_CDATA}(?:<!\[CDATA\[{_IN_CDATA}\]\]>{_IN_CDATA})+\]\]>", re.DOTALL
)
_AMPERSAND = re.compile(
    r"&(?:#(?P<decimal>\d{1,7});|#[xX](?P<hex>[0-9a-fA-F]{1,6});|(?P<name>\w{2,31});)?"
)
_XML_NAMES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_STRAY_LESS_THAN = re.compile(r"<(?![A-Za-z_/!?])")
_ROOT = re.compile(r"<(?:rss|feed|(?:\w{1,20}:)?RDF|\w{1,20}:feed)(?=[\s>])")
_USED_PREFIX = re.compile(
    r"<([A-Za-z_][\w.-]{0,40}):[A-Za-z_]|\s([A-Za-z_][\w.-]{0,40}):[A-Za-z_][\w.-]*="
)
_DECLARED_PREFIX = re.compile(r"\sxmlns:([A-Za-z_][\w.-]{0,40})\s*=")
_ITEM_END = re.compile(r"</(?:item|entry)\s*>")
_PREFIXES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
}


def mend(text: str) -> str:
    """``text`` with the usual mistakes put right; still not always well-formed.

    Bare ampersands and less-than signs, HTML's named entities, nested CDATA, undeclared namespace
    prefixes, junk after the root element, and truncation: what follows the last whole item is
    dropped, since half an item would be known by half an identity.
    """
    text = _NESTED_CDATA.sub(_one_cdata, _whole_items(text))
    parts = _OPAQUE.split(text)
    parts[::2] = [_mend_markup(part) for part in parts[::2]]
    return _with_namespaces("".join(parts))


def _one_cdata(nested: re.Match[str]) -> str:
    inside = nested[0][len("<![CDATA[") : -len("]]>")]
    return f"<![CDATA[{inside.replace('<![CDATA[', '').replace(']]>', '')}]]>"


def _mend_markup(text: str) -> str:
    text = _AMPERSAND.sub(_reference, text) if "&" in text else text
    return _STRAY_LESS_THAN.sub("&lt;", text).replace("]]>", "]]&gt;")


def _reference(found: re.Match[str]) -> str:
    if found["decimal"] or found["hex"]:
        code = int(found["decimal"]) if found["decimal"] else int(found["hex"], 16)
        legal = code in {9, 10, 13} or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE
        return found[0] if legal or 0x10000 <= code < 0x110000 else "\ufffd"
    name = found["name"]
    if name in _XML_NAMES:
        return found[0]
    character = html5.get(f"{name};") if name else None
    return escape(character) if character else f"&amp;{found[0][1:]}"


def _whole_items(text: str) -> str:
    """``text`` up to the end of its root element, which is supplied if it is missing."""
    root = _ROOT.search(text)
    if root is None:
        return text
    name = root[0][1:]
    end = text.rfind(f"</{name}")
    close = text.find(">", end) if end >= 0 else -1
    if close >= 0:
        return text[: close + 1]
    items = list(_ITEM_END.finditer(text))
    if not items:
        return text
    return f"{text[: items[-1].end()]}{'</channel>' if name == 'rss' else ''}</{name}>"


def _with_namespaces(text: str) -> str:
    """``text`` with every prefix that it uses declared on its root element."""
    root = _ROOT.search(text)
    if root is None:
        return text
    used = {first or second for first, second in _USED_PREFIX.findall(text)}
    missing = sorted(used - set(_DECLARED_PREFIX.findall(text)) - {"xml", "xmlns"})
    declared = "".join(f' xmlns:{p}="{_PREFIXES.get(p, f"urn:undeclared:{p}")}"' for p in missing)
    return text[: root.end()] + declared + text[root.end() :]
