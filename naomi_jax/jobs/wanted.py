"""What is to be written of a table that is filled, and whether it can be; imports nothing slow."""

import dataclasses

from naomi_jax.errors import InputError
from naomi_jax.tables.files import reading, writing

_MOST_SAMPLES = 1000


@dataclasses.dataclass(frozen=True)
class Filling:
    """What to write.

    Attributes:
      target: the output file.
      max_gap: holes of more rows stay holes; None fills all.
      flag: whether to add columns NAME_filled.
      samples: how many likely fillings to draw; None writes the best one.
      seed: of the samples.
      interval: the probability with which a missing value lies between NAME_low and NAME_high,
        columns that are added; None adds none.
    """

    target: str
    max_gap: int | None = None
    flag: bool = False
    samples: int | None = None
    seed: int = 0
    interval: float | None = None


def check(source: str, filling: Filling) -> None:
    """Raise InputError where `filling.fill` could not write, before there is anything to write.

    Args:
      source: the file with holes.
      filling: what to write.
    """
    is_array = reading.extension(source) in reading.ARRAYS
    for name, value in (("max_gap", filling.max_gap), ("samples", filling.samples)):
        if value is not None and value < 1:
            raise InputError(f"--{name}: {value}; a positive whole number is needed")
    if filling.samples is not None and filling.samples > _MOST_SAMPLES:
        raise InputError(f"--samples: {filling.samples}; at most {_MOST_SAMPLES} are drawn")
    if filling.flag and is_array:
        raise InputError(f"--flag: {source} is an array, which has no place for further columns")
    for name in ("flag", "interval"):
        if getattr(filling, name) and filling.samples is not None:
            raise InputError(f"--{name} and --samples: give one of them; both are about each cell")
    if filling.interval is not None:
        if not 0 < filling.interval <= 0.99:
            raise InputError(
                f"--interval: {filling.interval}; more than 0 and at most 0.99 is accepted"
            )
        if reading.extension(source) == ".npy":
            raise InputError(f"--interval: {source} holds one array; an .npz has room")
    for target in targets(filling, is_array):
        writing.check_target(target, source)


def targets(filling: Filling, is_array: bool) -> list[str]:
    """The files that are written: FILLED_1.csv, FILLED_2.csv, ... for samples of a table."""
    if filling.samples is None or is_array:
        return [filling.target]
    kind = reading.extension(filling.target)
    stem, end = filling.target[: -len(kind)], filling.target[-len(kind) :]
    return [f"{stem}_{number}{end}" for number in range(1, filling.samples + 1)]
