"""Which articles are one web document under two addresses. Pure.

Its page says so (``rel=canonical``, or where a redirect ended), and what both say is alike: a site
whose every page names one address by mistake does not become one article.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from feeds.model import PageReading
from feeds.page.furniture import same_words
from feeds.urls import CanonicalEvidence, absolute_http_url, believe_canonical, canonical_url
from storage.values.fold import FoldArticle

ALIKE = 0.5
"""The share of the shorter text's word sequences that the other has too."""
_SEQUENCE = 5
_LONG_WORDS = 15
_READ = 20_000
"""Characters of a text that are compared."""


def addresses_said(key: str, page: PageReading | None) -> tuple[str | None, str | None]:
    """What a page says of where it belongs: an address of its own site, and one of another's.

    The first where it differs from the article's ``key``. A wall speaks for nothing, nor does a
    page that several entries point into.
    """
    if page is None or page.wall or "#" in key:
        return None, None
    own, evidence = believe_canonical(page.url, page.canonical_url)
    original = None
    if evidence is CanonicalEvidence.SYNDICATED and page.canonical_url:
        original = canonical_url(absolute_http_url(page.canonical_url, page.url) or "")
    return (None if own == key else own), original


@dataclass(frozen=True, slots=True)
class Merge:
    """``gone`` turned out to be ``stays``."""

    gone: FoldArticle
    stays: FoldArticle


@dataclass(frozen=True, slots=True)
class Sorted:
    """What of a batch is to be folded now, and what turned out to be another article."""

    batch: tuple[FoldArticle, ...]
    merges: tuple[Merge, ...] = ()


def sort_out(batch: Sequence[FoldArticle], twins: Mapping[int, FoldArticle]) -> Sorted:
    """Find articles that are others, of which ``twins`` are known by an address in common.

    The one folded first stays: subscribers have read it. Whatever hangs on another article of the
    same batch (two new ones of one address, one that stays here and goes there) comes again with
    the next.
    """
    merges: dict[int, Merge] = {}
    busy: set[int] = set()
    taken: set[str] = set()
    kept: list[FoldArticle] = []
    for article in batch:
        twin = twins.get(article.id)
        if twin and one_document(article, twin):
            merge = _merge(article, twin)
            if not busy & {article.id, twin.id}:
                merges[merge.gone.id] = merge
                busy |= {article.id, twin.id}
            if merge.gone is article or merge.gone.id not in merges:
                continue
        elif article.id in merges or (article.fold_order is None and taken & {*article.addresses}):
            continue
        taken.update(article.addresses)
        kept.append(article)
    return Sorted(tuple(one for one in kept if one.id not in merges), tuple(merges.values()))


def _merge(article: FoldArticle, twin: FoldArticle) -> Merge:
    if article.fold_order is None or article.fold_order > (twin.fold_order or 0):
        return Merge(article, twin)
    return Merge(twin, article)


def one_document(one: FoldArticle, other: FoldArticle) -> bool:
    """Whether two articles that claim one address say the same: under one title, or in one text."""
    if same_words(one.title, other.title):
        return True
    sequences = [_sequences(article.matching_text) for article in (one, other)]
    shorter = min(map(len, sequences))
    return shorter > 0 and len(sequences[0] & sequences[1]) >= ALIKE * shorter


def _sequences(text: str) -> set[tuple[str, ...]]:
    words: Sequence[str] = text[:_READ].casefold().split()
    if sum(map(len, words)) > _LONG_WORDS * len(words):  # a script without spaces
        words = "".join(words)
    return set(zip(*(words[start:] for start in range(_SEQUENCE)), strict=False))
