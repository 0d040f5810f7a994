"""Tables for people: aligned columns, and no character that would move the cursor."""

from collections.abc import Iterable, Sequence


def table(rows: Iterable[Sequence[str]], heads: Sequence[str] = ()) -> list[str]:
    """``rows`` as aligned lines below ``heads``; none at all where there are no rows."""
    plain = [[_plain(text) for text in row] for row in rows]
    if not plain:
        return []
    shown = [list(heads), *plain] if heads else plain
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]) - 1)]
    return [_line(row, widths) for row in shown]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
    return "  ".join([*cells, row[-1]]).rstrip()


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
