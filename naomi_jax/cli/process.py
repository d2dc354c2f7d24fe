"""What train.py and eval.py share: reading flags, and one line with exit status 2 for bad input."""

import logging
import os
import re
import shlex
import sys
import traceback

from absl import flags
from absl import logging as absl_logging

from naomi_jax.errors import InputError

_BAD_INPUT, _INTERRUPTED = 2, 130


def run(main, usage: str, default_config: str | None = None) -> None:
    """Parse sys.argv, call main(), and leave the process with its status.

    Args:
      main: the command; raises InputError for bad input.
      usage: printed by --help, before the flags.
      default_config: folder of configs; adds --config=FOLDER/DATASET.py where there is no --config.
    """
    absl_logging.set_verbosity(absl_logging.ERROR)  # orbax reports every save at INFO
    logging.getLogger("jax").setLevel(logging.ERROR)
    # tensorstore's threads have more to say about a checkpoint that could not be read.
    sys.unraisablehook = lambda _: None
    argv = list(sys.argv)
    if any(a in ("--help", "-h", "-help") for a in argv):
        names = flags.FLAGS.get_key_flags_for_module("__main__")
        print(usage.strip() + "\n")
        print("\n".join(f"  --{flag.name}: {flag.help}" for flag in names))
        sys.exit(0)
    try:
        rest = _parse(argv, default_config)
        if default_config is not None and rest:
            raise InputError(f"{rest[0]}: unexpected argument; --help lists the flags")
        main(*rest)
    except InputError as error:
        sys.exit(_fail(str(error)))
    except KeyboardInterrupt:
        sys.exit(interrupted(f"stopped. Run it again with: {same()}"))
    except OSError as error:
        if error.errno is None or not error.filename:
            raise
        sys.exit(_fail(f"{error.filename}: {error.strerror}"))


def same() -> str:
    """This command, to be run again."""
    return shlex.join(["python", *sys.argv])


def interrupted(message: str) -> int:
    """Say why the command ends; returns the exit status of an interruption."""
    print(f"\n{message}", file=sys.stderr)
    return _INTERRUPTED


def _fail(message):
    if os.environ.get("NAOMI_JAX_TRACEBACK"):
        traceback.print_exc()
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return _BAD_INPUT


def _parse(argv, default_config):
    if default_config is not None:
        argv = _with_config(argv, default_config)
    try:
        rest = flags.FLAGS(argv)[1:]
        if default_config is not None:
            _ = flags.FLAGS.config.dataset  # an unreadable file is reported on the first look
        return rest
    except flags.Error as error:
        raise InputError(f"{error}; --help lists the flags") from None
    except (AttributeError, KeyError, TypeError, ValueError, SyntaxError, OSError) as error:
        raise InputError(f"--config: {_what_is_wrong(error)}") from None


def _what_is_wrong(error):
    text = str(error).rpartition("earlier failure to load: ")[2]
    name = re.match(r"[\"'\\]+(\w+)[\"'\\]", text)  # all that is said of a field that is not there
    if name is None:
        return text
    meant = re.search(r'Did you mean "(\w+)"', text)
    return f"there is no setting {name[1]!r}" + (f"; did you mean {meant[1]!r}?" if meant else "")


def _with_config(argv, folder):
    """argv with --config=FILE:MODEL, which flags decide before they are parsed."""
    dataset, given = _value(argv, "--dataset"), _value(argv, "--config")
    if dataset is None:
        dataset = "traffic" if _value(argv, "--data") is None else "files"
    if not dataset.isidentifier():
        dataset = "traffic"  # the flag's own check complains
    config = given or f"{os.path.join(folder, dataset)}.py"
    model = _value(argv, "--model")
    rest = [
        a for a in argv[1:] if given is None or a not in ("--config", given, f"--config={given}")
    ]
    return [argv[0], f"--config={config}" + (f":{model}" if model else ""), *rest]


def _value(argv, name):
    """The value of a flag, or None where it is not there."""
    value = None
    for flag, following in zip(argv, [*argv[1:], ""]):
        if flag == name:
            value = following
        elif flag.startswith(f"{name}="):
            value = flag.partition("=")[2]
    return value
