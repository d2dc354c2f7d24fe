"""Evaluate a run, draw it, or fill a file with it: python eval.py RUN_DIR; --help shows how."""

import signal
import sys

# The imports take seconds. Until they are done, Ctrl-C ends the process at once and without words.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from naomi_jax.cli import doors, process, program

if __name__ == "__main__":
    process.start(lambda: program.command(doors.evaluation(sys.argv[1:])))
