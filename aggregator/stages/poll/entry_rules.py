"""The operator's rules for entries on their way in: dropped, kept, or given other facts. Pure.

A source is named by the address that stands in the configuration, wherever it is read now.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from aggregator.config.entry_settings import RuleSettings
from aggregator.config.settings import Settings
from aggregator.config.source_settings import SourceSettings
from aggregator.text_rules import Rule, matches
from feeds.clean import plain_text
from feeds.model import FeedEntry
from storage.values.poll import EntryWrite, Ruling

_MOST_SLOW = 3
"""Times that a rule may take too long on the entries of one document; then it is left out."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules make of an entry.

    ``by`` are the numbers (from 1) of the rules that had a part in it, ``slow`` of those that could
    not be told in time.
    """

    dropped: bool = False
    ruling: Ruling = field(default_factory=Ruling)
    language: str | None = None
    by: tuple[int, ...] = ()
    slow: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A rule; ``urls`` of the sources it is for, None where it is for all."""

    number: int
    row: RuleSettings
    urls: frozenset[str] | None
    searches: tuple[Rule, ...]


class EntryRules:
    """The rules of a configuration."""

    def __init__(self, settings: Settings) -> None:
        self._sources = {source.url: source for source in settings.source}
        self._rules = tuple(
            _compiled(number, row, settings.source) for number, row in enumerate(settings.rule, 1)
        )

    def concern(self, source_url: str) -> bool:
        """Whether anything at all is to be done with the entries of this source."""
        own = self._sources.get(source_url)
        return bool(self._of(source_url) or (own and (own.title_prefixes or own.title_suffixes)))

    def names(self) -> tuple[str, ...]:
        """What each rule is called."""
        return tuple(one.row.name or f"rule {one.number}" for one in self._rules)

    def with_title(self, source_url: str, entry: FeedEntry) -> FeedEntry:
        """``entry`` without what its source puts around every title."""
        own = self._sources.get(source_url)
        if own is None:
            return entry
        title = bare_title(entry.title, own.title_prefixes, own.title_suffixes)
        return entry if title == entry.title else replace(entry, title=title)

    def judge(
        self,
        source_url: str,
        entry: FeedEntry,
        without: Collection[int] = (),
        *,
        known: bool = False,
    ) -> Verdict:
        """What the rules make of ``entry``, whose title is bare already.

        From top to bottom: the first ``drop`` or ``keep`` that matches decides whether it stays;
        of what is set the lowest rule's word counts. Those ``without`` are not asked. One that is
        ``known`` is not dropped: it was let in when it came, and is there.
        """
        rules = [rule for rule in self._of(source_url) if rule.number not in without]
        if not rules:
            return Verdict()
        text = plain_text(entry.content_html or entry.summary_html)
        verdict, kept = Verdict(), False
        for rule in rules:
            found = _found(rule, entry, text)
            if found is None:
                verdict = replace(verdict, slow=(*verdict.slow, rule.number))
            if not found:
                continue
            if rule.row.action == "drop":
                if kept or known:
                    continue
                return replace(verdict, dropped=True, by=(*verdict.by, rule.number))
            kept = kept or rule.row.action == "keep"
            verdict = _with(verdict, rule)
        return verdict

    def _of(self, source_url: str) -> tuple[_Compiled, ...]:
        return tuple(rule for rule in self._rules if rule.urls is None or source_url in rule.urls)


def ruled(
    rules: EntryRules, source_url: str, writes: Sequence[EntryWrite], *, known: bool = False
) -> tuple[tuple[EntryWrite, ...], tuple[str, ...], frozenset[int]]:
    """``writes`` as the rules want them, guids of those dropped, and which rules were slow."""
    kept, dropped, slow = [], [], Counter[int]()
    for write in writes:
        entry = rules.with_title(source_url, write.entry)
        hopeless = {number for number, times in slow.items() if times >= _MOST_SLOW}
        verdict = rules.judge(source_url, entry, hopeless, known=known)
        slow.update(verdict.slow)
        if verdict.dropped:
            dropped.append(entry.guid)
            continue
        if verdict.language:
            entry = replace(entry, language=verdict.language)
        kept.append(replace(write, entry=entry, ruling=verdict.ruling))
    return tuple(kept), tuple(dropped), frozenset(slow)


def bare_title(title: str, prefixes: Sequence[str], suffixes: Sequence[str]) -> str:
    """``title`` without the first of ``prefixes`` and of ``suffixes`` that it has, in any case.

    A title that is nothing else stays as it is.
    """
    bare = title.strip()
    for prefix in prefixes:
        if prefix.strip() and bare.casefold().startswith(prefix.casefold().lstrip()):
            bare = _cut(bare, prefix.lstrip(), at_end=False)
            break
    for suffix in suffixes:
        if suffix.strip() and bare.casefold().endswith(suffix.casefold().rstrip()):
            bare = _cut(bare, suffix.rstrip(), at_end=True)
            break
    return bare or title


def _cut(title: str, part: str, *, at_end: bool) -> str:
    """Cut as many characters as fold to what ``part`` does: folding may change a text's length."""
    wanted = len(part.casefold())
    letters = reversed(title) if at_end else iter(title)
    count = folded = 0
    for letter in letters:
        if folded >= wanted:
            break
        folded += len(letter.casefold())
        count += 1
    return (title[: len(title) - count] if at_end else title[count:]).strip()


def _compiled(number: int, row: RuleSettings, sources: Sequence[SourceSettings]) -> _Compiled:
    urls = None
    if row.sources or row.categories:
        urls = frozenset(
            source.url
            for source in sources
            if not row.sources or {source.url, source.name} & set(row.sources)
            if not row.categories or source.category in row.categories
        )
    return _Compiled(number, row, urls, tuple(search.rule() for search in row.match))


def _found(rule: _Compiled, entry: FeedEntry, text: str) -> bool | None:
    """Whether ``rule`` is for the entry; None where that took too long to tell."""
    if not rule.searches:
        return True
    verdicts = [matches(one, entry.title, text, entry.url or "") for one in rule.searches]
    return True if True in verdicts else None if None in verdicts else False


def _with(verdict: Verdict, rule: _Compiled) -> Verdict:
    row, ruling = rule.row, verdict.ruling
    return replace(
        verdict,
        by=(*verdict.by, rule.number),
        language=row.language or verdict.language,
        ruling=Ruling(
            category=row.category or ruling.category,
            publisher=row.publisher or ruling.publisher,
            never_fold=row.never_fold or ruling.never_fold,
        ),
    )
