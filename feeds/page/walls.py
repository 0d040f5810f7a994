"""What stands in an article's way: consent, bot checks, paywalls, error pages, videos, scripts.

Such pages come back from any extractor as if they were articles. A verdict is a kind and the sign
it rests on, in words; None is a real article. Nothing here knows how the page was fetched: the
final address is a sign among others.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from feeds.page.furniture import same_words, words
from feeds.page.phrases import phrases

CONSENT, CHALLENGE, PAYWALL = "consent", "challenge", "paywall"
NOT_FOUND, VIDEO, SCRIPT = "not_found", "video", "script"
REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Wall:
    """What stood in the way, and how it was recognised, for people."""

    kind: str
    sign: str


@dataclass(frozen=True, slots=True)
class PageSigns:
    """What a page's markup says before anything is taken out of it.

    ``scripts`` and ``visible`` are characters: of programs, and of everything a reader would see.
    ``players`` counts video and embedded players; ``asides`` are classes and ids that name a wall.
    """

    scripts: int = 0
    visible: int = 0
    players: int = 0
    noscript: str = ""
    walled: str | None = None


_CONSENT_HOST = re.compile(
    r"^(?:consent|myprivacy|cmp|privacy|cookies?)\.|\bconsent\.(?:google|youtube|yahoo)\.|^guce\."
)
_CONSENT_PATH = re.compile(
    r"/(?:consent|privacy-(?:gate|wall)|cookie-?(?:wall|consent))(?:/|$|\.)", re.IGNORECASE
)
_CHALLENGE_PATH = re.compile(
    r"/(?:cdn-cgi/challenge|_incapsula|captcha|px/captcha|distil_)", re.IGNORECASE
)
_LOGIN_PATH = re.compile(
    r"/(?:log-?in|sign-?in|subscribe|abo|paywall|register|anmelden|connexion)(?:/|$|\.|\?)",
    re.IGNORECASE,
)
_MISSING_PATH = re.compile(
    r"/(?:404|not-?found|page-not-found|error)(?:/|$|\.(?:html?|php|aspx?))", re.IGNORECASE
)

_CONSENT = phrases("consent")
_CHALLENGE = phrases("challenge")
_PAYWALL = phrases("paywall")
_NOT_FOUND = phrases("not_found")
_NEEDS_SCRIPT = phrases("needs_script")
_WALL_NAMES = re.compile(
    r"(?:^|[\s_-])(?:paywall|regwall|piano-(?:inline|offer)|subscriber-only|premium-(?:wall|teaser)"
    r"|metered-wall|tp-modal)(?=$|[\s_-])",
    re.IGNORECASE,
)
_CONSENT_TITLE = re.compile(
    r"\bcookies?\b|\bconsent\b|\bprivacy\b|\bbefore you continue\b"
    r"|datenschutz|vie privée|privacidad|prywatność",
    re.IGNORECASE,
)
_PLAYERS = re.compile(
    r"youtube|vimeo|dailymotion|jwplayer|brightcove|/embed/|player\.", re.IGNORECASE
)

_STUB = 150
"""Words below which a text may be a wall's own; with a stronger sign, twice as many may be."""
_TELLING = 4
"""Letters from which a headline's word tells what it is about."""
_LONG = 600
"""Words from which a text is an article whatever it says, and whatever it is called."""


def signs_of(tree: HtmlElement) -> PageSigns:
    """What the markup says; to be called before dead weight is stripped."""
    body = tree.find("body")
    scripts = sum(
        len(script.text or "") + 200 * ("src" in script.attrib) for script in tree.iter("script")
    )
    hidden = sum(
        len(element.text_content())
        for element in tree.iter("script", "style", "noscript", "template")
    )
    everything = len(tree.text_content() if body is None else body.text_content())
    players = len(list(tree.iter("video"))) + sum(
        bool(_PLAYERS.search(frame.get("src") or "")) for frame in tree.iter("iframe")
    )
    walled = _WALL_NAMES.search("\n".join(_names(tree)))
    noscript = " ".join(
        " ".join(element.text_content().split()) for element in list(tree.iter("noscript"))[:5]
    )
    return PageSigns(
        scripts,
        max(0, everything - hidden),
        players,
        noscript[:500],
        walled.group().strip("-_ \n") if walled else None,
    )


def _names(tree: HtmlElement) -> list[str]:
    return [
        name
        for element in tree.iter("div", "section", "aside")
        for name in (element.get("class"), element.get("id"))
        if name
    ]


def wall_of(
    *,
    url: str,
    title: str,
    text: str,
    visible: str,
    signs: PageSigns,
    free: bool | None,
    types: Collection[str],
) -> Wall | None:
    """What stands in the way of the article at ``url`` (the final address), if anything does.

    ``text`` is what was extracted, ``visible`` the beginning of everything on the page in reading
    order, ``free`` the page's own word on whether it is free to read.
    """
    size = len(words(text))
    if size >= _LONG:
        return _by_address(url, size)
    return (
        _by_address(url, size)
        or _challenge(title, text, visible, size)
        or _missing(title, text, size)
        or _consent(title, text, visible, size)
        or _paywall(text, visible, size, signs, free)
        or _video(size, signs, types, url)
        or _script(text, visible, size, signs)
    )


def _by_address(url: str, size: int) -> Wall | None:
    parts = urlsplit(url)
    host, path = parts.hostname or "", parts.path
    if _CONSENT_HOST.search(host) or _CONSENT_PATH.search(path):
        return Wall(CONSENT, f"redirected to {host}{path[:40]}")
    if _CHALLENGE_PATH.search(path):
        return Wall(CHALLENGE, f"redirected to {path[:40]}")
    if size < 2 * _STUB and _MISSING_PATH.search(path):
        return Wall(NOT_FOUND, f"redirected to {path[:40]}")
    if size < _STUB and _LOGIN_PATH.search(path):
        return Wall(PAYWALL, f"redirected to {path[:40]}")
    return None


def _challenge(title: str, text: str, visible: str, size: int) -> Wall | None:
    said = _CHALLENGE.search(title)
    if not said and size < _STUB:
        said = _CHALLENGE.search(text) or (
            _CHALLENGE.search(visible) if len(words(visible)) < _STUB else None
        )
    return Wall(CHALLENGE, f"it says {_quoted(said)}") if said and size < 2 * _STUB else None


def _missing(title: str, text: str, size: int) -> Wall | None:
    said = _NOT_FOUND.search(title) if size < 2 * _STUB else None
    if not said and size < _STUB:
        said = _NOT_FOUND.search(text[:300])
    return Wall(NOT_FOUND, f"it says {_quoted(said)}") if said else None


def _consent(title: str, text: str, visible: str, size: int) -> Wall | None:
    called = _CONSENT_TITLE.search(title)
    if size >= (_LONG if called else 2 * _STUB):
        return None
    found = {match.group().lower(): match for match in _CONSENT.finditer(text)}
    if len(found) >= 2 or (found and (called or size < 60)):
        return Wall(CONSENT, f"it says {_quoted(next(iter(found.values())))}")
    asked = [] if size >= 30 else list(_CONSENT.finditer(visible))
    if len({match.group().lower() for match in asked}) >= 2:
        return Wall(CONSENT, f"it says {_quoted(asked[0])}")
    return None


def _paywall(
    text: str, visible: str, size: int, signs: PageSigns, free: bool | None
) -> Wall | None:
    said = _PAYWALL.search(text[-600:]) or _PAYWALL.search(visible) if size < 2 * _STUB else None
    if free is False and size < 2 * _STUB:
        return Wall(PAYWALL, "the page says it is not free to read, and is short")
    if said and (size < _STUB or signs.walled or _PAYWALL.search(text[-600:])):
        return Wall(PAYWALL, f"it says {_quoted(said)}")
    if signs.walled and size < _STUB:
        return Wall(PAYWALL, f"it has a {signs.walled[:40]!r} and little text")
    return None


def _script(text: str, visible: str, size: int, signs: PageSigns) -> Wall | None:
    if size >= _STUB // 2:
        return None
    said = (
        _NEEDS_SCRIPT.search(text)
        or _NEEDS_SCRIPT.search(visible)
        or (_NEEDS_SCRIPT.search(signs.noscript) if size < 40 else None)
    )
    if said:
        return Wall(SCRIPT, f"it says {_quoted(said)}")
    if size < 20 and signs.visible < 400 and signs.scripts > 3 * max(1, signs.visible):
        return Wall(SCRIPT, "the page is a program without text")
    return None


def _video(size: int, signs: PageSigns, types: Collection[str], url: str) -> Wall | None:
    called = any(name.startswith("video.") or name == "VideoObject" for name in types)
    at_video = re.search(r"/(?:videos?|watch|mediathek|clips?)(?:/|$)", urlsplit(url).path)
    if size < _STUB and (signs.players or called) and (called or at_video or size < 30):
        return Wall(VIDEO, "the page shows a video and little text")
    return None


def _quoted(match: re.Match[str] | None) -> str:
    return repr(match.group()[:60]) if match else ""


def text_key(host: str, text: str) -> str | None:
    """A key that equal texts from one host share; None for a text that cannot be a wall's own.

    Empty texts say nothing, and long ones are articles whatever they are called.
    """
    tokens = words(text)
    if not 0 < len(tokens) < _LONG:
        return None
    return blake2b(" ".join((host.lower(), *tokens)).encode(), digest_size=12).hexdigest()


def repeated(text: str, headline: str, others: Collection[str]) -> Wall | None:
    """The wall that a host shows when it gives the same text for different articles.

    ``others`` are the headlines of articles whose pages gave this very text. An article may well
    stand at two addresses, under two headlines even; a wall's text has nothing to do with any.
    """
    if any(not same_words(headline, other) for other in others) and not _speaks_of(headline, text):
        return Wall(REPEATED, "the same host gave the same text for another article")
    return None


def _speaks_of(headline: str, text: str) -> bool:
    # Chinese and Japanese write no spaces: there, each character is a word
    wide = {character for character in headline if character >= "\u2e80"}
    telling = wide or {word for word in words(headline) if len(word) >= _TELLING}
    return 2 * len(telling & {*text, *words(text)}) >= len(telling) > 0
