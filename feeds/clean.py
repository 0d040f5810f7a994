"""HTML from strangers, made safe to show, and made into plain text. The only home of ``nh3``.

``nh3`` (ammonia) parses as a browser does and writes canonical HTML from an allow-list; what stands
here is the list, the rule that every address is absolute http(s), and the care of images: those
loaded lazily get their address back, those that only count readers go.
"""

import re
from contextvars import ContextVar
from html import escape, unescape

import nh3

from feeds.urls import absolute_http_url

_INLINE = frozenset(
    {"a", "abbr", "acronym", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "i"}
    | {"ins", "kbd", "mark", "q", "rp", "rt", "rtc", "ruby", "s", "samp", "small", "span"}
    | {"strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"}
)
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "br", "caption", "center", "col", "colgroup"}
    | {"dd", "details", "div", "dl", "dt", "figcaption", "figure", "footer", "h1", "h2", "h3", "h4"}
    | {"h5", "h6", "header", "hgroup", "hr", "li", "main", "nav", "ol", "p", "pre", "section"}
    | {"summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"}
)
_MEDIA = frozenset({"audio", "img", "source", "video"})
# Elements whose content is no text for readers: code, controls, fallbacks, other languages.
_DROPPED_WHOLE = frozenset(
    {"applet", "button", "canvas", "frameset", "iframe", "math", "noembed", "noframes", "noscript"}
    | {"object", "option", "script", "select", "style", "svg", "template", "textarea", "title"}
    | {"xmp"}
)
_LAZY = ("data-src", "data-lazy-src", "data-original", "data-lazy")
_SRCSETS = ("srcset", "data-srcset", "data-lazy-srcset")
_ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href", "hreflang"},
    "audio": {"controls", "src"},
    "blockquote": {"cite"},
    "col": {"span"},
    "colgroup": {"span"},
    "data": {"value"},
    "del": {"cite", "datetime"},
    "img": {"alt", "height", "src", "style", "width", *_LAZY, *_SRCSETS},
    "ins": {"cite", "datetime"},
    "li": {"value"},
    "ol": {"reversed", "start", "type"},
    "q": {"cite"},
    "source": {"src", "type"},
    "td": {"colspan", "headers", "rowspan"},
    "th": {"colspan", "headers", "rowspan", "scope"},
    "time": {"datetime"},
    "video": {"controls", "height", "poster", "src", "width"},
}
_ADDRESSES = frozenset({"cite", "href", "poster", "src", *_LAZY})
_KEPT_ON_IMAGES = frozenset({"alt", "dir", "height", "lang", "title", "width"})

_HIDDEN = re.compile(
    r"(?<![\w-])(?:display:\s{0,9}none|(?:width|height):\s{0,9}[01](?:px|\s|;|$))", re.IGNORECASE
)

# The base of the call in progress: building a Cleaner costs as much as cleaning an entry.
_base: ContextVar[str | None] = ContextVar("base_url", default=None)


def _filter_attribute(_tag: str, name: str, value: str) -> str | None:
    if name in _ADDRESSES:
        return absolute_http_url(value, _base.get())
    if name in _SRCSETS:
        return _largest_candidate(value)
    if name == "style":
        return "hidden" if _HIDDEN.search(value) else None
    return value


_CLEANER = nh3.Cleaner(
    tags=_INLINE | _BLOCKS | _MEDIA,
    clean_content_tags=_DROPPED_WHOLE,
    attributes=_ATTRIBUTES,
    attribute_filter=_filter_attribute,
    # Nothing follows a reader out of the merged feed, whose address may carry a token.
    link_rel="noopener noreferrer",
    set_tag_attribute_values={tag: {"controls": ""} for tag in ("audio", "video")},
    url_schemes={"http", "https"},
    url_relative="pass_through",
)
_TEXT_ONLY = nh3.Cleaner(
    tags=set(),
    clean_content_tags=_DROPPED_WHOLE - {"title"},
    attributes={},
    link_rel=None,
)

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Where a text has C1 controls, it means what windows-1252 has in their place (as browsers do).
_MEANT = {chr(c): bytes([c]).decode("cp1252", "ignore") for c in range(0x80, 0xA0)}
_MARKUP = re.compile(
    r"</(?:a|abbr|b|blockquote|cite|code|div|em|font|h[1-6]|i|li|mark|p|q|s|small|span|strong|sub|sup"
    r"|table|tt|u|ul|ol)\s{0,9}>|<(?:br|hr|img|wbr)(?:\s[^<>]{0,500})?/?>",
    re.IGNORECASE,
)
_IMAGE = re.compile(r'<img((?: [a-z-]+="[^"]*")*)>')
_ATTRIBUTE = re.compile(r' ([a-z-]+)="([^"]*)"')
_NOSCRIPT = re.compile(r"</?noscript\b[^<>]{0,99}>", re.IGNORECASE)
_BLOCK_EDGE = re.compile(rf"<(?=/?(?:{'|'.join(sorted(_BLOCKS))})\b)", re.IGNORECASE)
_BARE_AMPERSAND = re.compile(r"&(?!#?\w{1,31};)")
_RUNS = re.compile(r"([&<])\1{2,}")
_MONSTER_TAG = re.compile(r"<[^<>]{8000,}>?")
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,30})")
_ANY_TAG = re.compile(r"<[^<>]*>")
# Elements that HTML closes by itself, and so never nest by accident.
_SELF_CLOSING = frozenset(
    {"area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta"}
    | {"option", "p", "param", "source", "td", "th", "tr", "track", "wbr"}
)
_MANY = 3000
_MAX_DEPTH = 512


def sanitise(html: str, base_url: str | None) -> str:
    """``html`` as canonical HTML that is safe to show on any page or in any feed.

    Scripts, styles, forms, frames, embedded objects, SVG, MathML, event handlers, ``id``, ``class``
    and ``style`` are gone; every address is absolute http(s), resolved against ``base_url`` (None:
    relative ones are dropped). Images of one pixel are gone, lazy images have their real ``src``.
    Idempotent. Never raises; time is about linear in ``html``.
    """
    if "<" not in html and "&" not in html:
        # No-break spaces as the cleaner writes them, so that a second time changes nothing.
        return escape(_legal(html), quote=False).replace("\xa0", "&nbsp;")
    token = _base.set(base_url)
    try:
        cleaned = _CLEANER.clean(_revealed(_tamed(_legal(html))))
        if "<table" in cleaned and "<a " in cleaned:
            # What HTML moves out of a table may land in a link, and links in links part once more.
            cleaned = _CLEANER.clean(cleaned)
    finally:
        _base.reset(token)
    cleaned = _legal(cleaned) if "&#" in html else cleaned
    return _IMAGE.sub(_plain_image, cleaned) if "<img" in cleaned else cleaned


def plain_text(html: str) -> str:
    """What a reader would see of ``html``, on one line, entities decoded once."""
    if "<" in html:
        html = _TEXT_ONLY.clean(_BLOCK_EDGE.sub(" <", _tamed(_legal(html))))
    return one_line(html)


def text_to_html(text: str) -> str:
    """Plain ``text`` as HTML: blank lines part paragraphs, other line ends are kept as breaks."""
    paragraphs = [part.strip() for part in re.split(r"\n[ \t\r]*\n", _legal(text).strip())]
    marked = [escape(part, quote=False).replace("\n", "<br>") for part in paragraphs if part]
    return (
        marked[0]
        if len(marked) == 1 and "<br>" not in marked[0]
        else "".join(f"<p>{part}</p>" for part in marked)
    )


def looks_like_html(text: str) -> bool:
    """Whether ``text`` of unsaid kind is markup: it closes an element, breaks, or shows a picture.

    Conservative, since a title about ``<b>`` loses it by mistake; entities are no sign.
    """
    return _MARKUP.search(text) is not None


def one_line(text: str) -> str:
    """Plain ``text`` on one line, character references that were escaped once too often decoded."""
    return " ".join(_legal(unescape(text) if "&" in text else text).split())


def _legal(text: str) -> str:
    """``text`` without what XML forbids (1.0, 2.2): it could be shown, but not published again."""
    if text.isprintable():  # nothing illegal is, and it is ten times as fast
        return text
    return _ILLEGAL.sub(lambda found: _MEANT.get(found[0], ""), text)


def _tamed(html: str) -> str:
    """``html`` without what makes an HTML parser take seconds.

    50,000 nested elements take ammonia 13 s, 50,000 attributes on one 1.2 s, 400,000 ampersands 3;
    nothing a person wrote has that. Of too deep markup only the text is left.
    """
    if html.count("&") + html.count("<") > _MANY:
        html = _BARE_AMPERSAND.sub("&amp;", _RUNS.sub(r"\1\1", html))
    if len(html) > 8000:
        html = _MONSTER_TAG.sub("", html)
    if html.count("<") > _MANY and _depth(html) > _MAX_DEPTH:
        return _ANY_TAG.sub(" ", html).replace("<", "&lt;")
    return html


def _depth(html: str) -> int:
    depth = deepest = 0
    for tag in _TAG.finditer(html):
        if tag[2].lower() in _SELF_CLOSING:
            continue
        depth = max(0, depth - 1) if tag[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _revealed(html: str) -> str:
    """``html`` with images unwrapped that stand in ``noscript`` only."""
    if "<noscript" not in html or any(name in html for name in _LAZY):
        return html
    return _NOSCRIPT.sub("", html)


def _largest_candidate(srcset: str) -> str | None:
    """The address with the largest descriptor of a ``srcset`` (``a.jpg 480w, b.jpg 2x``)."""
    best: tuple[float, str | None] = (-1.0, None)
    for candidate in re.split(r",\s", srcset, maxsplit=32)[:32]:
        address, _, descriptor = candidate.strip().partition(" ")
        size = re.match(r"[\d.]{1,9}", descriptor.strip())
        weight = float(size[0]) if size and size[0].count(".") < 2 and size[0] != "." else 1.0
        if weight > best[0]:
            best = (weight, absolute_http_url(address, _base.get()))
    return best[1]


def _plain_image(image: re.Match[str]) -> str:
    """One sanitised ``img`` with one address, or nothing if it has none or is not for looking at.

    Works on canonical output only, where quotes and angle brackets inside attributes are escaped.
    """
    attributes: dict[str, str] = dict(_ATTRIBUTE.findall(image[1]))
    if "style" in attributes or any(
        attributes.get(side, "").removesuffix("px").strip() in {"0", "1"}
        for side in ("width", "height")
    ):
        return ""
    sources = (attributes.get(name) for name in (*_LAZY, "src", *_SRCSETS))
    source = next((found for found in sources if found), None)
    if source is None:
        return ""
    kept = "".join(f' {n}="{v}"' for n, v in attributes.items() if n in _KEPT_ON_IMAGES)
    return f'<img src="{source}"{kept}>'
