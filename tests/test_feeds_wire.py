# ruff: noqa: RUF001 - the texts are in many languages

import pytest

from feeds.page.agencies import agency_named
from feeds.page.wire import Dateline, dateline_of, is_end_credit, wire_evidence

REST = "The government said on Monday that it would lower taxes."


@pytest.mark.parametrize(
    ("head", "place", "agency"),
    [
        ("WASHINGTON (AP) — ", "WASHINGTON", "AP"),
        ("DUBLIN, Ireland (AP) — ", "DUBLIN, Ireland", "AP"),
        ("WASHINGTON, D.C. (AP) — ", "WASHINGTON, D.C.", "AP"),
        ("TOKYO, Nov 12 (Reuters) - ", "TOKYO", "Reuters"),
        ("(Reuters) - ", None, "Reuters"),
        ("Berlin (dpa) - ", "Berlin", "dpa"),
        ("Berlin (dpa/tmn) - ", "Berlin", "dpa"),
        ("Wien (APA) – ", "Wien", "APA"),
        ("PARIS (AFP) - ", "PARIS", "AFP"),
        ("(ANSA) - ROMA, 12 NOV - ", "ROMA", "ANSA"),
        ("Madrid, 12 nov (EFE).- ", "Madrid", "EFE"),
        ("MADRID, 12 Nov. (EUROPA PRESS) - ", "MADRID", "Europa Press"),
        ("Lisboa, 12 nov 2026 (Lusa) - ", "Lisboa", "Lusa"),
        ("AMSTERDAM (ANP) - ", "AMSTERDAM", "ANP"),
        ("Warszawa (PAP) - ", "Warszawa", "PAP"),
        ("МОСКВА, 12 ноября. /ТАСС/. ", "МОСКВА", "TASS"),
        ("МОСКВА, 12 ноя — РИА Новости. ", "МОСКВА", "RIA Novosti"),
        ("Hà Nội (TTXVN) - ", "Hà Nội", "TTXVN"),
        ("BEIJING, Nov. 12 (Xinhua) -- ", "BEIJING", "Xinhua"),
        ("NEW DELHI, Nov 12 (PTI) ", "NEW DELHI", "PTI"),
        ("NEW JERSEY (WABC) -- ", "NEW JERSEY", "WABC"),
        ("WASHINGTON — ", "WASHINGTON", None),
        ("NEW YORK -- ", "NEW YORK", None),
        ("SÃO PAULO – ", "SÃO PAULO", None),
    ],
)
def test_datelines_in_many_languages(head: str, place: str | None, agency: str | None) -> None:
    found = dateline_of(head + REST)
    assert found is not None
    assert (found.place, found.agency) == (place, agency)
    assert (head + REST)[found.length :] == REST


@pytest.mark.parametrize(
    "text",
    [
        REST,
        "Tekst (PAP)",
        "The president (R) - said so",
        "The company (ltd) - said so",
        "Paris Saint-Germain (a club) - won again",
        "- a list item with a dash",
        "A — B",
        "EXCLUSIVE — the mayor resigned",
        "Then in 2020 (Reuters) - or so",
        "WASHINGTON — ",
        "",
    ],
)
def test_what_is_no_dateline(text: str) -> None:
    assert dateline_of(text) is None


def test_a_known_agency_is_told_from_initials() -> None:
    assert dateline_of("BOSTON (AP) — " + REST) == Dateline(
        "BOSTON", "AP", 14, "BOSTON (AP)", known=True
    )
    local = dateline_of("BOSTON (WBZ) — " + REST)
    assert local is not None
    assert not local.known


@pytest.mark.parametrize(
    ("end", "agency", "strength"),
    [
        ("(Reporting by Jane Doe in London; Editing by John Smith)", "Reuters", 0.85),
        (
            "Reporting by Jane Doe; additional reporting by X Y; editing by John Smith",
            "Reuters",
            0.85,
        ),
        ("(Reportage de Jeanne Doe, édité par Jean Dupont)", "Reuters", 0.85),
        ("(Reporte de Juana Pérez; editado por Juan López)", "Reuters", 0.85),
        ("This story was originally published by The Associated Press.", "AP", 0.9),
        ("This article was originally published on Grist and appears here.", "Grist", 0.7),
        ("Zuerst erschienen bei Norwick Courier.", "Norwick Courier", 0.7),
        ("Associated Press writers Jane Doe and Jim Roe contributed to this report.", "AP", 0.7),
        ("The Associated Press contributed to this report.", "AP", 0.6),
        ("With files from The Canadian Press", "The Canadian Press", 0.6),
        ("Com informações da Reuters.", "Reuters", 0.6),
        ("Copyright 2026 The Associated Press. All rights reserved.", "AP", 0.85),
        ("© 2026 AFP", "AFP", 0.85),
        ("dpa", "dpa", 0.8),
        ("Quelle: dpa", "dpa", 0.8),
        ("Nguồn: TTXVN", "TTXVN", 0.8),
        ("Prezydent wrócił do kraju w nocy i nie odpowiadał na pytania. (PAP)", "PAP", 0.75),
    ],
)
def test_end_credits_are_evidence(end: str, agency: str, strength: float) -> None:
    found = wire_evidence([REST] * 6 + [end], [])
    assert found is not None
    assert (found.agency, found.strength) == (agency, strength)
    assert found.sign.startswith("end credit ")


@pytest.mark.parametrize(
    ("author", "agency"),
    [
        ("Associated Press", "AP"),
        ("The Associated Press", "AP"),
        ("dpa", "dpa"),
        ("AFP/Reuters", "AFP"),
        ("Jane Doe, Associated Press", "AP"),
        ("JANE DOE of The Associated Press", "AP"),
        ("Jane Doe | Reuters", "Reuters"),
        ("Jane Reuters-Smith", None),
        ("PA", None),
        ("Jane Doe", None),
    ],
)
def test_an_agency_as_author_is_evidence(author: str, agency: str | None) -> None:
    found = wire_evidence([REST], [author])
    assert (found.agency if found else None) == agency


def test_the_strongest_sign_is_kept() -> None:
    found = wire_evidence(
        ["PARIS (AFP) — " + REST, REST, "With material from Reuters"], ["Jane Doe"]
    )
    assert found is not None
    assert (found.agency, found.strength, found.sign) == ("AFP", 0.95, "dateline PARIS (AFP)")


@pytest.mark.parametrize(
    ("head", "strength"),
    [("BOSTON (WBZ) — ", 0.3), ("Norwick (npa) — ", 0.6), ("NORWICK (MNA) — ", 0.6)],
)
def test_unknown_initials_in_a_dateline_prove_less(head: str, strength: float) -> None:
    found = wire_evidence([head + REST], [])
    assert found is not None
    assert found.strength == strength


def test_mentions_inside_a_text_are_no_evidence() -> None:
    body = "He told the Associated Press that he would go, and Reuters reported that he went."
    assert wire_evidence([body, REST, body], ["Jane Doe"]) is None
    assert wire_evidence([], []) is None


@pytest.mark.parametrize(
    ("line", "credit"),
    [
        ("(Reporting by Jane Doe in London; Editing by John Smith)", True),
        ("© 2026 AFP", True),
        ("The Associated Press contributed to this report.", True),
        ("This article was republished from The Conversation under a licence.", True),
        (REST, False),
        (REST * 20 + " © AFP", False),
        ("He stayed with the report from the first day to the last, with files from AFP", False),
    ],
)
def test_end_credits_are_told_from_sentences(line: str, credit: bool) -> None:
    assert is_end_credit(line) is credit


def test_initials_with_other_meanings_need_a_place_that_marks_them() -> None:
    assert agency_named("PA") == "PA Media"
    assert agency_named("PA", sure=False) is None
    assert agency_named("nobody") is None


def test_a_month_is_no_outlet() -> None:
    assert wire_evidence(["This guide was originally published in April 2020."], ()) is None
    found = wire_evidence(["This text was originally published in Mayo Times."], ())
    assert found is not None
    assert found.agency == "Mayo Times"
