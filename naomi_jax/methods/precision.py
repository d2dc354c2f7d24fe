"""A method that multiplies in bfloat16."""

import dataclasses
import functools

from naomi_jax.methods.method import Method
from naomi_jax.recursion import model


@functools.cache  # one object for each method, so that what is compiled for it is found again
def in_bfloat16(method: Method) -> Method:
    """The same method, computing with `model.to_bfloat16` of its parameters."""

    def impute(params, *args, **options):
        return method.impute(model.to_bfloat16(params), *args, **options)

    def rounded(loss):
        return lambda params, *args: loss(model.to_bfloat16(params), *args)

    losses = {name: rounded(loss) for name, loss in method.losses.items()}
    return dataclasses.replace(method, impute=impute, losses=losses)
