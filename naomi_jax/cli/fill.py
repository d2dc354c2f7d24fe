"""Training on a table with holes and filling it: train.py --data TABLE --fill FILLED."""

import argparse
import contextlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

from naomi_jax.cli import flags, process, table_flags
from naomi_jax.errors import InputError
from naomi_jax.runs import folder, lock, record
from naomi_jax.store import trees
from naomi_jax.tables.files import reading
from naomi_jax.tables.options import Options

USAGE = """Fill the holes of a table: {usage}

Learns from what is there, fills what is not, and writes a copy in which nothing else has changed.
On entries that it held out itself it says how far the filling is from the truth, and how far a
straight line is. The same command again uses what was learned the first time.
"""
FLAG = "--fill"
_IMPUTER = "imputer"  # the tree of imputer.saving, whose import takes long
_EXAMPLE = (
    "python train.py --data station.csv --fill filled.csv",
    "naomi-jax fill station.csv filled.csv",
)
_NEXT = (
    "python eval.py {} --impute OTHER.csv --out FILLED.csv",
    "naomi-jax impute {} OTHER.csv FILLED.csv",
)
_FILLED = "Where to write the filled table, in the same format."
_MINUTES = "Train so long at most; else the size of the table decides."


def is_asked(argv: Sequence[str]) -> bool:
    """Whether a command line is one of this command."""
    return any(word == FLAG or word.startswith(f"{FLAG}=") for word in argv)


def parser(prog: str, usage: str, words: bool = False) -> flags.Parser:
    """The flags of this command.

    Args:
      prog: the program's name.
      usage: how it is called.
      words: whether the two files are words of their own, not values of flags.
    """
    found = flags.Parser(USAGE.format(usage=_EXAMPLE[words]), prog=prog, usage=usage)
    data, filled = ("data", "fill") if words else ("--data", FLAG)
    found.add_argument(data, metavar="TABLE", help=f"The table: {', '.join(reading.EXTENSIONS)}.")
    found.add_argument(filled, metavar="FILLED", help=_FILLED)
    found.add_argument("--minutes", type=flags.converter(float), metavar="N", help=_MINUTES)
    found.add_argument(
        "--workdir", metavar="DIR", help="Where what was learned is kept; runs/NAME of the file."
    )
    found.add_argument(
        "--seed", type=flags.converter(int), default=0, metavar="N", help="Of everything random."
    )
    table_flags.add(found)
    return found


def add(parser: argparse.ArgumentParser) -> None:
    """The flags that make a training one of this kind."""
    group = parser.add_argument_group("to fill a table with holes")
    group.add_argument(FLAG, metavar="FILLED", help=_FILLED)
    group.add_argument("--minutes", type=flags.converter(float), metavar="N", help=_MINUTES)


def main(asked: argparse.Namespace, prog: str) -> None:
    """Read, learn or find what was learned, fill, write.

    Args:
      asked: of `parser`.
      prog: the program's name.

    Raises:
      InputError: something given cannot be used; nothing was written.
    """
    from naomi_jax.imputer import saving
    from naomi_jax.imputer.imputer import Imputer
    from naomi_jax.jobs import filling, wording

    _check(asked)
    wanted = filling_of(asked, asked.fill)
    filling.check(asked.data, wanted)
    options = table_flags.options(asked)
    workdir = asked.workdir or os.path.join("runs", folder.name_of_file(asked.data))
    table = reading.read(asked.data, options)
    for note in table.notes:
        say(f"{asked.data}: {note}")
    filling.check_values(asked.data, table)
    settings = {"seed": asked.seed, "minutes": asked.minutes}
    about = {**filling.record_of(asked.data, table, options), "settings": settings}
    imputer = _found(workdir, about)
    if imputer is None:
        _check_rows(table, asked.data)
        say(f"Learning from {wording.about(about)}")
        with training_in(workdir):
            _check_free(workdir)
            imputer = filling.fit(Imputer(**settings), table, asked.data, say)
            saving.save(imputer, workdir, about)
        say(f"Kept in {workdir}\n")
    else:
        say(f"Learned before from {wording.about(about)}\nKept in {workdir}\n")
    for line in wording.report(imputer):
        say(line)
    say("")
    filling.fill(imputer, table, asked.data, wanted, about, say)
    say(
        "\nNext: fill another table of this kind with\n  "
        + _NEXT[not prog.endswith(".py")].format(process.quoted(workdir))
    )


def impute(run: str, source: str, target: str, asked: argparse.Namespace) -> None:
    """Fill another table with what was learned.

    Args:
      run: folder of an imputer.
      source, target: the table and where to write it.
      asked: the flags of `table_flags` and `seed`.

    Raises:
      InputError: something given cannot be used; nothing was written.
    """
    from naomi_jax.jobs import filling, wording

    check_seed(asked.seed)
    wanted = filling_of(asked, target)
    filling.check(source, wanted)
    imputer, about = load(run)
    table, notes = filling.read_alike(source, table_flags.options(asked), about)
    for note in (*notes, *table.notes):
        say(f"{source}: {note}")
    filling.check_values(source, table)
    filling.fill(imputer, table, source, wanted, about, say)
    say(f"The run was fitted on {wording.about(about)}")


def show(run: str) -> None:
    """Print what an imputer was fitted on, and its report.

    Raises:
      InputError: it cannot be read.
    """
    from naomi_jax.jobs import wording

    imputer, about = load(run)
    say(f"Fitted on {wording.about(about)}")
    chosen = _options(about)
    if table_flags.words(chosen):
        say(f"Read with {table_flags.words(chosen)}")
    for line in wording.report(imputer, most=None):
        say(line)


def report(runs: Sequence[str], source: str | None, target: str, asked: argparse.Namespace) -> None:
    """Write a page about a table and what was learned from it or from one like it.

    Args:
      runs: the folder of an imputer, alone.
      source: the table, None where it was not named.
      target: the page.
      asked: the flags of `table_flags` on reading.

    Raises:
      InputError: something given cannot be used; nothing was written.
    """
    from naomi_jax.figures import style, table_page

    name = next(filter(holds_imputer, runs))
    if len(runs) > 1:
        raise InputError(
            f"--report: {name} was trained on a table with holes; such a run has a page of its "
            "own, so name one folder"
        )
    style.require_matplotlib()
    about = record_of(name)
    if source is None:
        raise InputError(
            f"--report: {name} was fitted on {about['file']}; name that table, or another one of "
            f"its kind: --data {process.quoted(about['file'])}"
        )
    if os.path.exists(target) and os.path.exists(source) and os.path.samefile(target, source):
        raise InputError(f"--report {target}: the table itself; name another file")
    table_page.write(name, source, table_flags.options(asked), target, process.words(), say)
    say(f"{target}: a page about {source}")


def load(run: str):
    """(the imputer, the record of its table).

    Raises:
      InputError: there is none, it is damaged, or it was not made by a command.
    """
    from naomi_jax.imputer.imputer import Imputer

    about = record_of(run)
    return Imputer.load(run), about


def record_of(run: str) -> dict[str, Any]:
    """The record of the table that an imputer was fitted on.

    Raises:
      InputError: there is none, it is damaged, or it was not made by a command.
    """
    from naomi_jax.imputer import saving

    about = saving.read_about(run).get("record")
    if not about:
        raise InputError(
            f"{run}: an imputer that was saved by a program of yours; load it with "
            "naomi_jax.Imputer.load"
        )
    return about


def holds_imputer(workdir: str) -> bool:
    """Whether what was learned from a table is kept in this folder."""
    return trees.exists(workdir, _IMPUTER)


def say(line: str) -> None:
    """Print, at once."""
    print(line, flush=True)


def filling_of(asked: argparse.Namespace, target: str):
    """What to write, as the flags say."""
    from naomi_jax.jobs.filling import Filling

    return Filling(target, asked.max_gap, bool(asked.flag), asked.samples, asked.seed)


def _options(about):
    return Options(**{**about["options"], "missing": tuple(about["options"]["missing"])})


def _check(asked):
    if not asked.data:
        raise InputError("--fill needs --data TABLE, the table with holes")
    if not asked.fill:
        raise InputError("--fill: name the file to write, such as filled.csv")
    if asked.minutes is not None and not (asked.minutes > 0 and math.isfinite(asked.minutes)):
        raise InputError(f"--minutes: {asked.minutes}; a positive number is needed")
    check_seed(asked.seed)


def check_seed(seed: int) -> None:
    """Raise InputError for a seed that a generator does not accept."""
    if not 0 <= seed < 2**31:
        raise InputError(f"--seed: {seed}; a whole number from 0 to {2**31 - 1} is needed")


def _check_rows(table, path):
    """Refuse what nothing can be learned from, before a folder is made for it."""
    if len(table.values) and table.shape[-2] < 2:
        raise InputError(f"{path}: one row; at least 2 are needed to learn from")


def _found(workdir, about):
    """The imputer in the folder, None where it is free.

    Raises InputError where it holds something else.
    """
    from naomi_jax.imputer import saving
    from naomi_jax.imputer.imputer import Imputer

    if not saving.exists(workdir):
        _check_free(workdir)
        return None
    was, found = saving.read_about(workdir)["record"], []
    if was.get("sha256") != about["sha256"]:
        if not was or was["file"] != about["file"]:
            found.append(f"another table, {was.get('file', 'of a program of yours')}")
        elif was["options"] != json.loads(json.dumps(about["options"])):
            words = [table_flags.words(_options(r)) or "no flags" for r in (was, about)]
            found.append(f"the file read with {words[0]}, now {words[1]}")
        else:
            found.append("other values in the file")
    kept = was.get("settings", {})
    found += [
        f"--{name} {kept[name]}, now {now}"
        for name, now in about["settings"].items()
        if name in kept and kept[name] != now
    ]
    if found:
        raise InputError(
            f"{workdir} holds what was learned from other data or with other settings "
            f"({'; '.join(found)}); choose another --workdir, or delete this folder to learn anew; "
            f"{process.evaluation_command()} {process.quoted(workdir)} --impute fills with what "
            "was learned"
        )
    return Imputer.load(workdir)


def _check_free(workdir):
    from naomi_jax.imputer import saving

    if record.exists(workdir) or saving.exists(workdir):
        raise InputError(f"{workdir} holds another run; choose another --workdir, or delete it")


@contextlib.contextmanager
def training_in(workdir: str) -> Iterator[None]:
    """The lock of a folder; what was made for a training that does not end is taken away."""
    locked = os.path.exists(os.path.join(workdir, lock.FILE))
    made, place = [], os.path.abspath(workdir)
    while not os.path.exists(place):
        made.append(place)
        place = os.path.dirname(place)
    with lock.training_in(workdir):
        # Only now: a training that ended a moment ago may have left its files.
        before = {*os.listdir(workdir)} - (set() if locked else {lock.FILE})
        try:
            yield
        except BaseException:
            with contextlib.suppress(OSError):
                for name in set(os.listdir(workdir)) - before:
                    if name == lock.FILE or trees.is_of_tree(name, _IMPUTER):
                        os.remove(os.path.join(workdir, name))
                for place in made:
                    os.rmdir(place)
            raise
