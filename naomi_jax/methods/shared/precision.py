"""A method that multiplies in bfloat16."""

import dataclasses
import functools
from collections.abc import Callable

from naomi_jax.methods.method import Method
from naomi_jax.recursion import model


@functools.cache  # one object for each method, so that what is compiled for it is found again
def in_bfloat16(method: Method) -> Method:
    """The same method, computing with `model.to_bfloat16` of its parameters."""
    losses = {name: _of_bfloat16(loss) for name, loss in method.losses.items()}
    return dataclasses.replace(method, impute=_of_bfloat16(method.impute), losses=losses)


def _of_bfloat16(function: Callable) -> Callable:
    """A function of (params, ...) that is given params in bfloat16."""

    def called(params, *args, **options):
        return function(model.to_bfloat16(params), *args, **options)

    return called
