"""Flags: argparse whose errors are InputError, and a tree of settings as flags."""

import argparse
import difflib
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, NoReturn, get_args, get_origin

from naomi_jax import fields
from naomi_jax.errors import InputError


class _Help(argparse.RawDescriptionHelpFormatter):
    """One spelling of each flag is enough."""

    def _format_action_invocation(self, action):
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        shown = self._format_args(action, self._get_default_metavar_for_optional(action))
        return f"{action.option_strings[0]} {shown}"


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises InputError where argparse would print its usage and exit."""

    def __init__(self, description: str | None = None, **options: Any):
        super().__init__(
            description=description,
            allow_abbrev=False,
            formatter_class=_Help,
            **options,
        )
        self._negative_number_matcher = re.compile(r"-\.?\d")  # as in --bounds -5,5

    def error(self, message: str) -> NoReturn:
        """As argparse documents it: called for every wrong word."""
        message = message.removeprefix("argument ")
        message = re.sub(r"^(--[\w.-]+)(/--[\w.-]+)+", r"\1", message)  # one spelling is enough
        raise InputError(f"{message}; --help lists the flags")

    def print_help(self, file: Any = None) -> None:
        """As argparse documents it, but for a failed write, which argparse keeps to itself."""
        print(self.format_help(), end="", file=file)

    def parse_all(self, argv: Sequence[str]) -> argparse.Namespace:
        """Every word must be a flag or a value of one.

        Raises:
          InputError: naming the word, with a flag that is written alike.
        """
        known, rest = self.parse_known_args(argv)
        if not rest:
            return known
        if not rest[0].startswith("-"):
            raise InputError(f"{rest[0]}: unexpected argument; --help lists the flags")
        name = rest[0].partition("=")[0]
        alike = difflib.get_close_matches(name, self._flags_of(known), 1)
        meant = f"; did you mean {alike[0]}?" if alike else "; --help lists the flags"
        raise InputError(f"{name}: there is no such flag{meant}")

    def _flags_of(self, known):
        """The flags that were possible: those of the subcommand that was chosen, too."""
        found = list(self._option_string_actions)
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                found += action.choices[getattr(known, action.dest)]._option_string_actions
        return found


def names(name: str) -> list[str]:
    """A flag as it may be written: with underscores, and with hyphens in their place."""
    return list(dict.fromkeys([f"--{name}", f"--{name.replace('_', '-')}"]))


def add_settings(
    parser: argparse.ArgumentParser, settings: fields.Settings, without: Sequence[str] = ()
) -> None:
    """A flag for each value of a tree of settings, with its meaning and what it is now.

    Args:
      parser: gets the flags.
      settings: the tree.
      without: names of values that have flags of their own.
    """
    groups: dict[str, Any] = {}
    for leaf in fields.leaves(settings):
        if leaf.name in without:
            continue
        room = ".".join(leaf.path[:-1]) or "run"
        if room not in groups:
            groups[room] = parser.add_argument_group(f"settings: {room}")
        groups[room].add_argument(
            *names(leaf.name),
            dest=leaf.name,
            type=converter(leaf.hint),
            metavar=_metavar(leaf.hint),
            default=argparse.SUPPRESS,
            help=f"{leaf.meaning} Here: {_shown(leaf.value)}.".replace("%", "%%"),
        )


def with_flags(settings: Any, given: argparse.Namespace) -> Any:
    """The tree with what was given on the command line.

    Raises:
      InputError: a value does not fit, with its path.
    """
    values = vars(given)
    changed = {
        leaf.path: values[leaf.name] for leaf in fields.leaves(settings) if leaf.name in values
    }
    return fields.with_values(settings, changed)


def converter(hint: Any) -> Callable[[str], Any]:
    """What argparse turns words into values of this type with."""

    def convert(text):
        try:
            return fields.parse(hint, text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r}; {error}") from None

    return convert


def number(kind: type, wanted: str, accepted: Callable[[Any], bool]) -> Callable[[str], Any]:
    """What argparse turns words into numbers of some range with.

    Args:
      kind: int or float.
      wanted: the range in words.
      accepted: whether a number is in it.
    """
    plain = converter(kind)

    def convert(text):
        value = plain(text)
        if not accepted(value):
            raise argparse.ArgumentTypeError(f"{text}; {wanted} is needed")
        return value

    return convert


SEED = number(int, f"a whole number from 0 to {2**31 - 1}", lambda n: 0 <= n < 2**31)
COUNT = number(int, "a positive whole number", lambda n: n > 0)


def _metavar(hint):
    if get_origin(hint) is Literal:
        return "|".join(get_args(hint))
    if hint is bool:
        return "true|false"
    options = get_args(hint) or (hint,)
    if get_origin(options[0]) is tuple:
        return "A,B"
    return {int: "N", float: "X", str: "TEXT"}.get(options[0], "VALUE")


def _shown(value):
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, bool):  # 0 and 1 are equal to them, and are numbers
        return "true" if value else "false"
    return "none" if value is None else value
