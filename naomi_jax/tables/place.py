"""Where something stands in a file, in the words that a person sees in an editor."""

import collections.abc
import dataclasses
import re

from naomi_jax.tables.printable import quoted

_UNNAMED = re.compile(r"column \d+(\.\d+)?")


@dataclasses.dataclass(frozen=True)
class Place:
    """The beginning of a message about a row, a column or a cell.

    Attributes:
      path: of the file.
      line: gives the number of a row's line in the file, from 1.
      word: what a person calls it: "line", or "row" where the file has no lines.
    """

    path: str
    line: collections.abc.Callable[[int], int]
    word: str = "line"

    def __call__(self, row: int | None = None, column: str | None = None) -> str:
        """For example "data.csv, line 7, column 'a'"."""
        parts = [self.path]
        if row is not None:
            parts.append(f"{self.word} {self.line(row)}")
        if column is not None:
            parts.append(called(column))
        return ", ".join(parts)


def called(name: str) -> str:
    """A column in words: column 'a'; or column 3, where the file has no name for it."""
    return name if _UNNAMED.fullmatch(name) else f"column {quoted(name)}"
