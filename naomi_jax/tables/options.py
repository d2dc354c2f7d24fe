"""What a person may say about a file where reading it alone does not tell."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Options:
    """How to read a table; by default everything is found.

    Attributes:
      missing: further markers of a hole, such as "-999". A marker that is a number also stands for
        the same number written in another way: "-999" for "-999.0".
      time: the name of the time column. None finds it.
      group: the name of a column of labels, where several series stand under one another.
      header: whether the first line holds names. None finds it.
      separator: what stands between two cells; " " is any run of blanks. None finds it.
      decimal: the decimal mark, "." or ",". None finds it.
      freq: a pandas offset alias, such as "h" or "15min": rows that are absent are added.
      dayfirst: whether 03/04/2020 is the third of April. None accepts only dates that tell.
    """

    missing: tuple[str, ...] = ()
    time: str | None = None
    group: str | None = None
    header: bool | None = None
    separator: str | None = None
    decimal: str | None = None
    freq: str | None = None
    dayfirst: bool | None = None
