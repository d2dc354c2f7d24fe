"""Holes that nothing fills, in words: those of columns without numbers."""

from collections.abc import Hashable, Mapping

from naomi_jax.tables.printable import listed

SWITCHES = frozenset({"true", "false"})


def lines(switches: Mapping[Hashable, int], others: Mapping[Hashable, int]) -> tuple[str, ...]:
    """A line for columns of true and false, and one for the others, where they have holes.

    Args:
      switches: columns of true and false -> how many cells are empty.
      others: columns of text, categories, dates -> how many cells are empty.
    """
    found = []
    for columns, what in ((switches, "true/false"), (others, "no numbers")):
        holed = [name for name, count in columns.items() if count]
        count = sum(columns.values())
        if holed:
            many = len(holed) > 1
            found.append(
                f"{'columns' if many else 'column'} {listed(holed)} {'hold' if many else 'holds'} "
                f"{what}; {'their' if many else 'its'} {count} hole{'s' if count > 1 else ''} "
                f"stay{'' if count > 1 else 's'} empty"
            )
    return tuple(found)
