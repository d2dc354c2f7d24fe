"""train.py and eval.py: the words of these scripts, as those of naomi-jax.

train.py trains, or with --fill it fills a table. eval.py tells the job by a flag.
"""

import os
import sys
from collections.abc import Sequence

from naomi_jax.errors import InputError

EVALUATION = """Evaluate a run, draw a filled sequence, or fill the holes of a file with it.

  python eval.py RUN                                what it learned from, and its errors
  python eval.py RUN --samples N                    how far a stochastic model can be trusted
  python eval.py RUN [--samples N] --forecast       with only the first steps shown
  python eval.py RUN --impute IN --out OUT          fill the holes of another file
  python eval.py RUN --figure OUT.png|OUT.svg|OUT.gif|OUT.mp4
  python eval.py --table 1|2|3 [RUN ...]
  python eval.py RUN [RUN ...] --report OUT.html
  python eval.py RUN --report OUT.html --data TABLE     of a table; the flags on reading it

A RUN is a folder that train.py has written. python eval.py --impute --help lists the flags of that
job, python eval.py --report --help those of a page.
"""
# The flag of a job of eval.py, and the subcommand.
_JOBS = {"impute": "impute", "table": "table", "figure": "figure", "report": "page"}


def training(words: Sequence[str]) -> list[str]:
    """The words of train.py.

    Raises:
      InputError: half of what --fill needs.
    """
    if not any(word.partition("=")[0] == "--fill" for word in words):
        return ["train", *words]
    if _wants_help(words):
        return ["fill", "--help"]
    given, rest = _taken(words, ("data", "fill"))
    if not given.get("data"):
        raise InputError("--fill needs --data TABLE, the table with holes")
    if not given["fill"]:
        raise InputError("--fill: name the file to write, such as filled.csv")
    return ["fill", _word(given["data"]), _word(given["fill"]), *rest]


def evaluation(words: Sequence[str]) -> list[str]:
    """The words of eval.py.

    Raises:
      InputError: two jobs, or half of one.
    """
    if _wants_help(words):
        named = [word[2:].partition("=")[0] for word in words]
        job = next((name for name in named if name in _JOBS), None)
        if job is None:
            print(EVALUATION, end="")
            sys.exit()
        return [_JOBS[job], "--help"]
    given, rest = _taken(words, tuple(_JOBS))
    if len(given) > 1:
        first, second, *_ = given
        raise InputError(f"--{first} and --{second} are two jobs; give a command for each")
    for job, value in given.items():
        if job == "table":
            return ["table", value, *rest]
        if job == "impute":
            out, rest = _taken(rest, ("out",))
            if not out:
                raise InputError("--impute needs --out FILE")
            return ["impute", *rest, _word(value), _word(out["out"])]
        return [_JOBS[job], *rest, _word(value)]
    return ["eval", *rest]


def _wants_help(words):
    return bool({"-h", "--help"} & set(words))


def _taken(words, names):
    """(the values of the flags of these names, the other words)."""
    given, rest, left = {}, [], iter(words)
    for word in left:
        flag, equals, value = word.partition("=")
        if word == "--":
            rest += [word, *left]
        elif flag.startswith("--") and flag[2:] in names:
            value = value if equals else next(left, None)
            if value is None:
                raise InputError(f"{flag}: expected one argument")
            given[flag[2:]] = value
        else:
            rest.append(word)
    return given, rest


def _word(path):
    """A path that is no flag, whatever it begins with."""
    return os.path.join(".", path) if path.startswith("-") else path
