"""Train NAOMI, or one of the methods it is compared with; or fill a table with holes.

    python train.py --dataset traffic
    python train.py --data station.csv --fill filled.csv

--help lists the data sets, the methods and every setting; --fill --help what there is on tables.
"""

import signal
import sys

# The imports take seconds. Until they are done, Ctrl-C ends the process at once and without words.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from naomi_jax.cli import doors, process, program

if __name__ == "__main__":
    process.start(lambda: program.command(doors.training(sys.argv[1:])))
