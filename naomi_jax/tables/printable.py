"""Text of the user, names of columns above all, as a terminal may show it."""

_JOINERS = "\u200c\u200d"  # letters of Persian and Hindi, and emoji, need them


def printable(text: object) -> str:
    r"""One line without the marks that a terminal obeys: these are written out, such as \x1b."""
    line = " ".join(str(text).split())
    if line.isprintable():
        return line
    return "".join(
        mark
        if mark.isprintable() or mark in _JOINERS
        else mark.encode("unicode_escape").decode("ascii")
        for mark in line
    )


def short(name: object, most: int = 30) -> str:
    """A column's name in one line of at most `most` characters."""
    name = printable(name) or "(no name)"
    return name if len(name) <= most else f"{name[: most - 3]}..."


def quoted(name: object) -> str:
    """A name as messages have it: text in quotes, and numbers and others as they are."""
    return printable(repr(name))


def listed(names: object, most: int = 10) -> str:
    """Names in quotes, the first of many."""
    found = [quoted(name) for name in names]  # type: ignore[attr-defined]
    rest = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + rest
