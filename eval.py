"""Evaluate a run, draw it, or fill a file with it: python eval.py RUN_DIR; --help shows how."""

import sys

from naomi_jax.cli import evaluate, process

if __name__ == "__main__":
    process.run(lambda: evaluate.main(sys.argv[1:]))
