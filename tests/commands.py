"""The commands in this process: a new one takes seconds to begin."""

import contextlib
import io

from naomi_jax.cli import doors, program


def said_by(words):
    """What naomi-jax prints for these words."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        program.command(words)
    return out.getvalue()


def naomi_jax(*words):
    return said_by(list(map(str, words)))


def training(*words):
    """As python train.py."""
    return said_by(doors.training(list(map(str, words))))


def evaluating(*words):
    """As python eval.py."""
    return said_by(doors.evaluation(list(map(str, words))))
