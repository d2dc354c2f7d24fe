"""Settings as frozen dataclasses: default, meaning and check of a field stand together, once.

    class Optimizer(Settings):
        learning_rate: float = setting(1e-3, "The highest rate.", positive)

The command line (cli/flags.py), a run's config.json and `--help` are views of such a tree.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from naomi_jax.errors import InputError

Check = Callable[[Any], str | None]  # what is needed instead, or None where the value is good


def setting(default: Any, meaning: str, *checks: Check) -> Any:
    """A field of a Settings class.

    Args:
      default: its value where none is given; dataclasses.MISSING where one must be.
      meaning: one sentence for --help.
      checks: called with the value; each returns what is needed, or None.
    """
    return dataclasses.field(default=default, metadata={"meaning": meaning, "checks": checks})


def at_least(least: float) -> Check:
    """The value is `least` or more."""
    return lambda value: None if value >= least else f"{least} or more is needed"


def between(low: float, high: float, *, below: bool = False) -> Check:
    """The value is from `low` to `high`; with `below`, it is less than `high`."""

    def check(value):
        fits = low <= value and (value < high if below else value <= high)
        return None if fits else f"from {low} to {'below ' if below else ''}{high} is needed"

    return check


def positive(value: float) -> str | None:
    """The value is above zero."""
    return None if value > 0 else "a number above 0 is needed"


@dataclasses.dataclass(frozen=True)
class Settings:
    """Base of all settings: types and checks of the fields are verified when one is made.

    Raises:
      InputError: "FIELD: VALUE; what is needed".
    """

    def __post_init__(self):
        hints = typing.get_type_hints(type(self))
        for field in dataclasses.fields(self):
            value = _as_float(hints[field.name], getattr(self, field.name))
            object.__setattr__(self, field.name, value)
            needed = [_wrong_type(hints[field.name], value)]
            if needed == [None] and value is not None:
                needed += [check(value) for check in field.metadata.get("checks", ())]
            for what in filter(None, needed):
                raise InputError(f"{field.name}: {value!r}; {what}")


def _as_float(hint, value):
    """A whole number as a float where a float is annotated, also in a tuple; else the value."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if type(value) is int and float in options and int not in options:
        return float(value)
    pairs = [option for option in options if typing.get_origin(option) is tuple]
    if isinstance(value, tuple) and pairs:
        return tuple(_as_float(typing.get_args(pairs[0])[0], each) for each in value)
    return value


def _wrong_type(hint, value) -> str | None:
    """What is needed where `value` is not of the annotated type; None where it is."""
    wanted = _wanted(hint, value)
    return wanted and f"{wanted} is needed"


def _wanted(hint, value):
    if isinstance(hint, types.UnionType):
        wanted = [_wanted(option, value) for option in typing.get_args(hint)]
        return None if None in wanted else " or ".join(wanted)
    if typing.get_origin(hint) is Literal:
        options = typing.get_args(hint)
        return None if value in options else f"one of {', '.join(options)}"
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)
        if not isinstance(value, tuple):
            return "a tuple"
        if inner[-1] is not Ellipsis and len(value) != len(inner):
            return f"a tuple of {len(inner)}"
        return next(filter(None, (_wanted(inner[0], each) for each in value)), None)
    if isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        # NaN passes every comparison that refuses what is wrong, such as `value < 0`.
        return "a finite number" if hint is float and not math.isfinite(value) else None
    return _WORDS.get(hint, f"a {hint.__name__}")


_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    types.NoneType: "none",
}


# A tree of settings as a flat list of leaves.


class Leaf(NamedTuple):
    """One value in a tree of settings.

    Attributes:
      path: names from the root, such as ("phases", "squared_error", "epochs").
      hint: its annotated type.
      value: what it is now.
      meaning: in words.
    """

    path: tuple[str, ...]
    hint: Any
    value: Any
    meaning: str

    @property
    def name(self) -> str:
        """The path with dots."""
        return ".".join(self.path)


def leaves(settings: Settings, path: tuple[str, ...] = ()) -> list[Leaf]:
    """All values of a tree, depth first."""
    hints = typing.get_type_hints(type(settings))
    found = []
    for field in dataclasses.fields(settings):
        value, here = getattr(settings, field.name), (*path, field.name)
        if isinstance(value, Settings):
            found += leaves(value, here)
        elif _is_list(value):
            for key, part in zip(_keys(value), value, strict=True):
                found += leaves(part, (*here, key))
        elif value is not None or not _takes_settings(hints[field.name]):
            meaning = field.metadata.get("meaning", "")
            found.append(Leaf(here, hints[field.name], value, meaning))
    return found


def _takes_settings(hint):
    return any(isinstance(o, type) and issubclass(o, Settings) for o in typing.get_args(hint))


def _is_list(value):
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Settings)


def _keys(parts):
    """A name for each part of a list of settings: its own, and a number where two have the same."""
    names: list[str] = []
    for part in parts:
        count = sum(name.partition("_again")[0] == part.key for name in names)
        names.append(part.key if not count else f"{part.key}_again{count if count > 1 else ''}")
    return names


def with_values(settings: Any, values: Mapping[tuple[str, ...], Any]) -> Any:
    """The tree with the values at the given paths changed; every check is made again.

    Raises:
      InputError: a value does not fit, with its whole path.
    """
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        inner = {path[1:]: new for path, new in values.items() if path[0] == field.name}
        if not inner:
            continue
        if isinstance(value, Settings):
            changes[field.name] = _prefixed(field.name, value, inner)
        elif _is_list(value):
            parts = []
            for key, part in zip(_keys(value), value, strict=True):
                own = {path[1:]: new for path, new in inner.items() if path[0] == key}
                parts.append(_prefixed(f"{field.name}.{key}", part, own) if own else part)
            changes[field.name] = tuple(parts)
        else:
            changes[field.name] = inner[()]
    return dataclasses.replace(settings, **changes)


def _prefixed(name, settings, values):
    try:
        return with_values(settings, values)
    except InputError as error:
        raise InputError(f"{name}.{error}") from None


def parse(hint: Any, text: str) -> Any:
    """A value of the annotated type from a word of the command line.

    Raises:
      ValueError: it is none; the message says what is needed.
    """
    if isinstance(hint, types.UnionType):
        options = typing.get_args(hint)
        if type(None) in options and text.lower() in ("none", ""):
            return None
        for option in (option for option in options if option is not type(None)):
            try:
                return parse(option, text)
            except ValueError:
                continue
        raise ValueError(_wrong_type(hint, text))
    if typing.get_origin(hint) is tuple:
        words, inner = text.replace(",", " ").split(), typing.get_args(hint)
        if inner[-1] is not Ellipsis and len(words) != len(inner):
            raise ValueError(f"{len(inner)} values with a comma between are needed")
        return tuple(parse(inner[0], word) for word in words)
    if hint is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError("true or false is needed")
        return text.lower() == "true"
    if hint in (int, float):
        try:
            return hint(text)
        except ValueError:
            raise ValueError(f"{_WORDS[hint]} is needed") from None
    return text


def as_dict(settings: Any) -> Any:
    """The tree as nested dicts and lists, for JSON."""
    if isinstance(settings, Settings):
        names = [field.name for field in dataclasses.fields(settings)]
        return {name: as_dict(getattr(settings, name)) for name in names}
    return [as_dict(each) for each in settings] if isinstance(settings, tuple) else settings


def from_dict(kind: Any, values: Any) -> Any:
    """The inverse of `as_dict` for settings of class `kind`.

    Raises:
      InputError: a name that is not a setting, or a value that does not fit.
    """
    if isinstance(values, Settings):
        return values
    if typing.get_origin(kind) is tuple:
        inner = typing.get_args(kind)
        return tuple(from_dict(inner[0], each) for each in values)
    if isinstance(kind, types.UnionType):
        if values is None:
            return None
        options = [o for o in typing.get_args(kind) if o is not type(None)]
        return from_dict(options[0], values) if isinstance(values, dict | list) else values
    if not (isinstance(kind, type) and issubclass(kind, Settings)):
        return values
    hints = typing.get_type_hints(kind)
    unknown = values.keys() - hints.keys()
    if unknown:
        raise InputError(f"{min(unknown)}: there is no such setting")
    return kind(**{name: from_dict(hints[name], value) for name, value in values.items()})
