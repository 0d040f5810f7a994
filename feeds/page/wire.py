"""Whether a text came from a news agency, and from where: datelines, bylines and end credits.

The signs are kept as evidence with a strength; what follows from them (a copy, an original) is
the folder's business. A photographer's agency says nothing of the text, so credits of pictures
are not looked at: callers pass the text without captions.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from feeds.model import WireEvidence
from feeds.page.agencies import agency_named, names_pattern
from feeds.page.phrases import alternatives, phrases

_DASHES = r"\u2013\u2014\u2015\-"
_DASH = rf"(?:[{_DASHES}]{{1,2}}|\.\s?[{_DASHES}]|:)"
_MONTH = rf"(?:{alternatives('month')})\w*\.?"
_DATE = (
    rf"(?:\d{{1,2}}\.?\s(?:de\s)?{_MONTH}(?:\s(?:de\s)?\d{{4}})?|{_MONTH}\s\d{{1,2}}(?:,?\s\d{{4}})?"
    r"|\d{1,2}[./]\d{1,2}[./]?(?:\d{2,4})?)"
)
_PLACE = r"(?P<place>[^\W\d_][^\d()\n:;!?]{1,58}?)"
_BRACKETED = r"[(\[/]\s?(?P<agency>[^()\[\]/\n]{2,40}(?:/[^()\[\]/\n]{2,20})?)\s?[)\]/]"


def _head(pattern: str) -> re.Pattern[str]:
    return re.compile(r"^\W{0,3}" + pattern, re.IGNORECASE)


# CITY, Nov 12 (AGENCY) -   Berlin (dpa) -   MOSCOW, 12 November. /TASS/.
_PLACE_FIRST = _head(rf"{_PLACE}(?:[,.]?\s{_DATE})?\.?\s?{_BRACKETED}\s?(?:{_DASH}|\.)?\s?")
# (ANSA) - ROMA, 12 NOV -   (AFP) -
_AGENCY_FIRST = _head(
    rf"{_BRACKETED}\s?{_DASH}\s?"
    rf"(?:(?P<place>[^\W\d_][^()\n:;!?]{{1,38}}?)(?:,\s{_DATE})?\s?[{_DASHES}]\s)?"
)
# LONDON, Nov 12, Reuters -   MOSCOW, 12 Nov - RIA Novosti.
_UNBRACKETED = _head(
    rf"{_PLACE}[,.]\s{_DATE}\s?[{_DASHES},]\s(?P<agency>{names_pattern()})\s?[.:{_DASHES}]\s?"
)
# WASHINGTON -   PARIS, Nov. 12 -   NEW YORK (Nov. 12) --
_PLACE_ONLY = re.compile(
    r"^(?P<place>[^\W\d_a-z][^\W\da-z]*(?:[ ,.'\u2019-]{1,2}[^\W\d_a-z][^\W\da-z]*){0,4}"
    rf"(?:,\s[A-Z][\w.]{{1,12}})?)(?:,?\s\(?{_DATE}\)?)?\s?[{_DASHES}]{{1,2}}\s(?=\S)"
)

# without a dash, a point or a date a bracketed name is only a bracketed name
_CLOSED = re.compile(rf"\d|[{_DASHES}:.]\s*$")
_INITIALS = re.compile(r"^\s*(?:[A-ZÀ-Þ][A-ZÀ-Þ&/-]{1,9}|[a-z]{2,5})\s*$")
_PROPER = re.compile(r"^(?:[^\W\d_a-z][\w.'\u2019-]*(?:, |[ ]|$)|(?:de|da|do|del|of|am|an) )+$")
# American broadcasters sign so: KTRK, WABC
_STATION = re.compile(r"^[KW][A-Z]{2,3}$")
_ABBREVIATED = re.compile(r"\b[A-Z]\.[A-Z]$")
_NO_PLACES = frozenset(
    {"BREAKING", "EXCLUSIVE", "UPDATE", "OPINION", "WATCH", "VIDEO", "LIVE", "ANALYSIS", "NOTE"}
)
_NAMES = names_pattern()
_STAFF = r"(?:writers?|reporters?|journalists?|correspondents?|staff)"
_FROM = (
    r"(?:with (?:files|inputs?|additional reporting|reporting|material) (?:from|by)|mit material"
    r" (?:von|der)|avec (?:l.)?|con informaci[oó]n de|com informações d[aeo]|theo)"
)
_SOURCE = r"(?:source|quelle|fuente|fonte|bron|źródło|источник|nguồn)"
_WITH = r"(?:with|mit|avec|con|com|met|z|\u0441)"
_AGENCY = rf"(?P<agency>{_NAMES})"
_END_SIGNS: tuple[tuple[re.Pattern[str], float], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), strength)
    for pattern, strength in (
        (rf"\boriginally (?:published|appeared) (?:by|on|in|at) (?:the )?{_AGENCY}\b", 0.9),
        (rf"(?:\bcopyright|©|\(c\))[\s©]*(?:\d{{4}})?,?\s*(?:by )?(?:the )?{_AGENCY}\b", 0.85),
        (rf"^\W*(?:©\s*)?{_AGENCY}\W*$", 0.8),
        (rf"^\W*{_SOURCE}\s*:\s*{_AGENCY}\b", 0.8),
        (rf"\((?:{_WITH} )?{_AGENCY}(?:[/ ][\w/-]{{1,30}})?\)\W*$", 0.75),
        (rf"\b{_AGENCY} (?:\w+ )?{_STAFF}\b.{{0,120}}\bcontributed\b", 0.7),
        (rf"\b{_FROM} (?:the )?{_AGENCY}\b", 0.6),
        (rf"\b(?:the )?{_AGENCY} contributed to this (?:report|story|article)\b", 0.6),
    )
)
_WORD = r"[A-Z0-9À-ÞА-Я][\w.&'\u2019-]*"
_REPUBLISHED = re.compile(
    rf"(?i:{alternatives('republished')})\s(?:the )?(?!(?i:{_MONTH})\s\d)"
    rf"(?P<outlet>[A-ZÀ-ÞА-Я][\w.&'\u2019-]*(?: (?:of|the|&|de|du|la|{_WORD})){{0,4}})"
)
_DESK = phrases("desk")
_TRIM = " \u2013\u2014\u2015-"
_BYLINE_AGENCY = re.compile(
    rf"(?:^|[,(|/-]\s?|\b(?:by|of|von|de|for)\s)(?:the )?{_AGENCY}\)?$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Dateline:
    """The head of a first paragraph: where it was written, by which agency, and its length.

    ``known`` is whether the agency is one of feeds/page/agencies.py; initials in the same place
    may be
    a local station's own.
    """

    place: str | None
    agency: str | None
    length: int
    words: str
    known: bool = False


def dateline_of(paragraph: str) -> Dateline | None:
    """The dateline a paragraph begins with, if it has one."""
    head = paragraph[:140]
    for pattern in (_PLACE_FIRST, _AGENCY_FIRST, _UNBRACKETED):
        found = pattern.match(head)
        if not found or not _CLOSED.search(found.group()):
            continue
        agency = agency_named(found["agency"])
        place = _place(found["place"])
        if agency or (place and _PROPER.match(place) and _INITIALS.match(found["agency"])):
            named = agency or found["agency"].strip()
            words = found.group().strip(_TRIM)
            return Dateline(place, named, found.end(), words, known=agency is not None)
    found = _PLACE_ONLY.match(head)
    alone = _place(found["place"]) if found else None
    if found and alone and alone not in _NO_PLACES:
        return Dateline(alone, None, found.end(), found.group().strip(_TRIM))
    return None


def _place(text: str | None) -> str | None:
    # "By John Smith in LONDON": a place is short, and starts with a capital letter
    place = (text or "").strip(_TRIM + ",")
    if _ABBREVIATED.search(place):
        place += "."
    elif place.count(".") == 1:
        place = place.strip(".")
    if len(place) < 2 or len(place.split()) > 6 or place[0].islower():
        return None
    return place


def wire_evidence(paragraphs: Sequence[str], authors: Sequence[str]) -> WireEvidence | None:
    """The strongest sign that a text came from an agency; ``paragraphs`` without captions."""
    signs = [*_from_dateline(paragraphs[:3]), *_from_authors(authors), *_from_end(paragraphs[-4:])]
    return max(signs, key=lambda sign: sign.strength, default=None)


def _from_dateline(paragraphs: Sequence[str]) -> list[WireEvidence]:
    datelines = [dateline for text in paragraphs if (dateline := dateline_of(text))]
    return [WireEvidence(line.agency, _strength(line), f"dateline {line.words}")
            for line in datelines if line.agency][:1]  # fmt: skip


def _strength(line: Dateline) -> float:
    """How much a dateline proves: unknown initials may be an agency's or a broadcaster's own."""
    if line.known:
        return 0.95
    return 0.3 if _STATION.match(line.agency or "") else 0.6


def _from_authors(authors: Sequence[str]) -> list[WireEvidence]:
    named = [(author, agency_named(author, sure=False) or _in_byline(author)) for author in authors]
    return [WireEvidence(agency, 0.9, f"author {author}") for author, agency in named if agency]


def _in_byline(author: str) -> str | None:
    found = _BYLINE_AGENCY.search(author)
    return agency_named(found["agency"]) if found else None


def _from_end(paragraphs: Sequence[str]) -> list[WireEvidence]:
    signs = []
    for text in paragraphs:
        tail = text[-300:]
        for pattern, strength in _END_SIGNS:
            found = pattern.search(tail)
            if found and (agency := agency_named(found["agency"])):
                signs.append(
                    WireEvidence(agency, strength, f"end credit {found.group().strip()[:60]}")
                )
        republished = _REPUBLISHED.search(tail)
        if republished:
            outlet = republished["outlet"].strip(" .,")
            signs.append(WireEvidence(outlet, 0.7, f"end credit {republished.group()[:60]}"))
        desk = _DESK.search(tail)
        if desk:
            signs.append(WireEvidence("Reuters", 0.85, f"end credit {desk.group().strip()[:60]}"))
    return signs


def is_end_credit(paragraph: str) -> bool:
    """Whether a paragraph is nothing but a credit to an agency, its desk or another outlet."""
    limit = max(30, 2 * len(paragraph) // 5)
    if len(paragraph) <= 500 and (desk := _DESK.search(paragraph)) and desk.start() < 5:
        return True
    patterns = (_REPUBLISHED, *(pattern for pattern, _ in _END_SIGNS))
    return len(paragraph) <= 200 and any(
        (found := pattern.search(paragraph)) and found.start() < limit for pattern in patterns
    )
