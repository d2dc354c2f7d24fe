"""Train NAOMI, or one of the methods it is compared with.

    python train.py --dataset traffic

--help lists the data sets, the methods and every setting.
"""

import os
import signal
import sys

# The imports take seconds. Until they are done, Ctrl-C ends the process at once and without words.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from naomi_jax.cli import process, train

CONFIGS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "configs")

if __name__ == "__main__":
    process.run(lambda: train.main(sys.argv[1:], CONFIGS))
