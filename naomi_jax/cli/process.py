"""What the commands share.

One line and exit status 2 for bad input, and how to go on after Ctrl-C.
"""

import logging
import os
import shlex
import sys
import traceback
from collections.abc import Callable

from absl import logging as absl_logging  # orbax logs with it

from naomi_jax.errors import InputError

_BAD_INPUT, _INTERRUPTED = 2, 130


def run(main: Callable[[], None]) -> None:
    """Call main(), and leave the process with its status; main raises InputError for bad input."""
    absl_logging.set_verbosity(absl_logging.ERROR)  # orbax reports every save at INFO
    logging.getLogger("jax").setLevel(logging.ERROR)
    try:
        main()
    except InputError as error:
        sys.exit(_fail(str(error)))
    except KeyboardInterrupt:
        sys.exit(interrupted(f"stopped. Run it again with: {rerun_command()}"))
    except OSError as error:
        if error.errno is None or not error.filename:
            raise
        sys.exit(_fail(f"{error.filename}: {error.strerror}"))


def rerun_command() -> str:
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
