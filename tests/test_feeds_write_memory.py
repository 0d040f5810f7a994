"""What writers remember of an entry shows in nothing but the time they take."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from output_builders import entry, feed

from feeds.model import OutputEntry, OutputFeed
from feeds.writing.entry_memory import MAX_CONTENT, MAX_ENTRIES, remembered
from feeds.writing.write_atom import render_atom
from feeds.writing.write_json import render_json
from feeds.writing.write_rss import render_rss

WRITERS = [render_atom, render_rss, render_json]


def test_an_equal_entry_is_written_once_and_a_changed_one_again() -> None:
    written = []

    @remembered
    def write(entry: OutputEntry, context: str | None) -> str:
        written.append((entry.title, context))
        return f"{entry.title} {context}"

    assert write(entry(title="A"), "x") == write(entry(title="A"), "x") == "A x"
    assert write(entry(title="B"), "x") == "B x"
    assert write(entry(title="A"), None) == "A None"
    assert written == [("A", "x"), ("B", "x"), ("A", None)]


def test_long_entries_and_old_ones_are_not_kept() -> None:
    written = []

    @remembered
    def write(entry: OutputEntry, context: str | None) -> None:
        assert context is None
        written.append(entry.id)

    long = entry(content_html="x" * (MAX_CONTENT + 1))
    write(long, None)
    write(long, None)
    assert len(written) == 2
    for number in (1, *range(2, MAX_ENTRIES + 2), 1):
        write(entry(number), None)
    assert len(written) == 2 + MAX_ENTRIES + 2


@pytest.mark.parametrize("write", WRITERS)
def test_what_is_remembered_is_never_changed_by_its_use(
    write: Callable[[OutputFeed], bytes],
) -> None:
    one, other = entry(1), entry(2)
    alone = write(feed(one))
    write(feed(other, one, language="de"))
    changed = replace(one, updated=one.published)
    assert write(feed(changed, other)) != write(feed(one, other))
    assert write(feed(one)) == alone


@pytest.mark.parametrize("write", WRITERS)
def test_threads_share_what_is_remembered(write: Callable[[OutputFeed], bytes]) -> None:
    merged = feed(*(entry(number) for number in range(100, 140)))
    with ThreadPoolExecutor(4) as pool:
        documents = set(pool.map(write, [merged] * 20))
    assert documents == {write(merged)}
