"""The names of news agencies, as they sign. Data, and one look-up."""

import re

AGENCIES: dict[str, tuple[str, ...]] = {
    "AAP": ("AAP", "Australian Associated Press"),
    "Adnkronos": ("Adnkronos",),
    "AFP": ("AFP", "Agence France-Presse", "Agence France Presse", "АФП"),
    "Agência Brasil": ("Agência Brasil", "ABr"),
    "Agerpres": ("Agerpres",),
    "AGI": ("AGI",),
    "Anadolu": ("AA", "Anadolu", "Anadolu Agency", "Anadolu Ajansı"),
    "ANI": ("ANI",),
    "ANP": ("ANP", "Algemeen Nederlands Persbureau"),
    "ANSA": ("ANSA",),
    "Antara": ("Antara",),
    "AP": ("AP", "Associated Press", "The Associated Press", "АП"),
    "APA": ("APA",),
    "Belga": ("Belga",),
    "Bernama": ("Bernama",),
    "Bloomberg": ("Bloomberg", "Bloomberg News"),
    "BNS": ("BNS",),
    "BTA": ("BTA", "БТА"),
    "Business Wire": ("Business Wire", "BUSINESSWIRE"),
    "CNA": ("CNA", "Central News Agency"),
    "ČTK": ("ČTK", "CTK"),
    "dpa": ("dpa", "Deutsche Presse-Agentur", "dpa-AFX", "dpa-infocom"),
    "EFE": ("EFE", "Agencia EFE", "EFEverde"),
    "ELTA": ("ELTA",),
    "epd": ("epd",),
    "Estadão Conteúdo": ("Estadão Conteúdo", "Agência Estado"),
    "Europa Press": ("Europa Press",),
    "Folhapress": ("Folhapress",),
    "GlobeNewswire": ("GlobeNewswire", "GLOBE NEWSWIRE"),
    "Hina": ("Hina",),
    "IANS": ("IANS",),
    "Interfax": ("Interfax", "Интерфакс"),
    "Interfax-Ukraine": ("Interfax-Ukraine", "Інтерфакс-Україна"),
    "Jiji": ("Jiji", "Jiji Press", "時事", "時事通信"),
    "Keystone-SDA": ("Keystone-SDA", "Keystone-ATS", "SDA", "ATS"),
    "KNA": ("KNA",),
    "Kyodo": ("Kyodo", "Kyodo News", "共同", "共同通信"),
    "LaPresse": ("LaPresse",),
    "LETA": ("LETA",),
    "Lusa": ("Lusa", "Agência Lusa"),
    "MTI": ("MTI",),
    "NTB": ("NTB",),
    "PA Media": ("PA", "PA Media", "Press Association", "The Press Association"),
    "PAP": ("PAP", "Polska Agencja Prasowa", "IAR"),
    "PR Newswire": ("PR Newswire", "PRNewswire"),
    "PTI": ("PTI", "Press Trust of India"),
    "Reuters": ("Reuters", "Thomson Reuters", "Рейтер"),
    "RIA Novosti": ("RIA Novosti", "РИА Новости"),
    "Ritzau": ("Ritzau",),
    "SID": ("SID", "Sport-Informations-Dienst"),
    "STT": ("STT", "STT-Lehtikuva"),
    "TASR": ("TASR",),
    "TASS": ("TASS", "ТАСС", "ITAR-TASS"),
    "Télam": ("Télam", "Telam", "NA", "Noticias Argentinas"),
    "The Canadian Press": ("CP", "Canadian Press", "The Canadian Press", "La Presse Canadienne"),
    "TT": ("TT", "TT Nyhetsbyrån"),
    "TTXVN": ("TTXVN", "VNA", "Thông tấn xã Việt Nam", "TTXVN/Vietnam+", "Vietnam+"),
    "Ukrinform": ("Ukrinform", "Укрінформ", "Укринформ"),
    "UPI": ("UPI",),
    "Xinhua": ("Xinhua", "新华社", "新華社", "Tân Hoa Xã"),
    "Yonhap": ("Yonhap", "연합뉴스"),
}

_BY_NAME = {name.casefold(): agency for agency, names in AGENCIES.items() for name in names}
# Initials that are common words or other things where nothing else marks an agency
_WEAK = frozenset({"aa", "pa", "cp", "na", "tt", "ats", "sda", "agi", "ani", "apa", "sid", "cna", "abr", "stt", "iar", "epd", "kna", "hina", "bta", "elta", "antara", "vna"})  # fmt: skip
_JOINTS = re.compile(r"\s*(?:/|,|;|\+|&|\band\b|\bund\b|\bet\b|\by\b|\be\b|\ben\b|\bi\b|\bи\b|\bvà\b|\s[-–]\s)\s*")


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
    key = name.strip(" .,:;-–—()[]\"'").casefold()
    if not sure and key in _WEAK:
        return None
    return _BY_NAME.get(key)


def names_pattern() -> str:
    """A regular expression of all names but those that mean other things, longest first."""
    names = sorted((name for name in _BY_NAME if name not in _WEAK), key=len, reverse=True)
    return "|".join(re.escape(name) for name in names)
