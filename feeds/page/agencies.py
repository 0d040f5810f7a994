"""The names of news agencies, as they sign: look-ups in the data of feeds/phrases.toml."""

import re

from feeds.page.phrases import agency_names

_BY_NAME = {name.casefold(): agency for agency, names in agency_names().items() for name in names}
# Initials that are common words or other things where nothing else marks an agency
_WEAK = frozenset(
    ["aa", "abr", "agi", "ani", "antara", "apa", "ats", "bta", "cna", "cp", "elta", "epd", "hina",
     "iar", "kna", "na", "pa", "sda", "sid", "stt", "tt", "vna"]
)  # fmt: skip
_JOINTS = re.compile(r"\s*(?:[/,;+&]|\b(?:and|und|et|by|e|en|i|и|và)\b|\s[\u2013-]\s)\s*")


def agency_named(text: str, *, sure: bool = True) -> str | None:
    """The agency a short text names and nothing else (``dpa/tmn``, ``The Associated Press``).

    ``sure`` is whether its place marks it as a signature; without that, initials with other
    meanings (``PA``, ``CP``) do not count.
    """
    whole = _known(text, sure=sure)
    if whole:
        return whole
    return next((found for part in _JOINTS.split(text) if (found := _known(part, sure=sure))), None)


def _known(name: str, *, sure: bool) -> str | None:
    key = name.strip(" .,:;-\u2013\u2014()[]\"'").casefold()
    if not sure and key in _WEAK:
        return None
    return _BY_NAME.get(key)


def names_pattern() -> str:
    """A regular expression of all names but those that mean other things, longest first."""
    names = sorted((name for name in _BY_NAME if name not in _WEAK), key=len, reverse=True)
    return "|".join(re.escape(name) for name in names)
