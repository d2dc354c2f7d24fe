"""`Fitted`: a trained method that fills sequences in the data's own units, a batch at a time."""

import importlib.util
import os
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from naomi_jax.atomic import atomic_write
from naomi_jax.data.transforms.chain import Chain
from naomi_jax.errors import InputError
from naomi_jax.methods.method import Method

_BATCH = 128
_SAMPLES = 1600  # of all sequences of a batch: memory grows with them


class Fitted(NamedTuple):
    """A trained method.

    Attributes:
      method: what it is.
      params: its parameters.
      transforms: from the data's units to what the method reads, and back.
    """

    method: Method
    params: Any
    transforms: Chain

    def fill(self, x, mask, key=None, num_samples: int | None = None) -> np.ndarray:
        """Fill x (N, T, D) in the data's own units.

        Args:
          x: floating point; what stands at missing entries is ignored, NaN included.
          mask: (N, T), or (N, T, D) one per entry; 1 = shown.
          key: a JAX random key, for stochastic models; each batch takes its own.
          num_samples: n draws n imputations with a leading axis; None draws one without it.

        Returns:
          (N, T, D) in x's dtype, or (n, N, T, D); shown entries are x's, bit for bit.
        """
        size = max(min(_BATCH, len(x), _SAMPLES // (num_samples or 1)), 1)
        parts = []
        for number, begin in enumerate(range(0, len(x), size)):
            # The last batch is filled up, not recompiled.
            rows = np.arange(begin, begin + size) % len(x)
            batch_key = None if key is None else jax.random.fold_in(key, number)
            part = self._fill(np.asarray(x)[rows], np.asarray(mask)[rows], batch_key, num_samples)
            parts.append(part[..., : len(x) - begin, :, :])
        return np.concatenate(parts, axis=-3)

    def export(self, path: str | os.PathLike, steps: int) -> None:
        """Write `fill` as one program, with the parameters in it, that runs without this package.

        It is serialized StableHLO (jax.export), for the kind of device that this is called on. Both
        sides need flatbuffers (extra `export`) beside jax:

            program = jax.export.deserialize(open(path, "rb").read())
            filled = program.call(x, mask, np.uint32(0))

        x (N, T, D) float32 in the data's own units and mask (N, T, D) bool, True = shown; N is any,
        T = `steps`. NaN may stand at missing entries. Then a seed, which deterministic models
        ignore: up to 128 sequences are filled as `fill` does with jax.random.key(seed).

        Args:
          path: the file.
          steps: T.

        Raises:
          ValueError: steps is not a whole number of 1 or more. InputError: flatbuffers is not
            installed, or the file cannot be written.
        """
        if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
            raise ValueError(f"steps: {steps!r}; a whole number of 1 or more is needed")
        if importlib.util.find_spec("flatbuffers") is None:
            raise InputError("export needs flatbuffers: pip install 'naomi_jax[export]'")

        def fill(x, mask, seed):
            key = jax.random.fold_in(jax.random.key(seed), 0)
            relative, entries, restore = self.transforms.apply(jnp.where(mask, x, 0), mask)
            filled = restore(self.method.impute(self.params, relative, entries, key))
            return jnp.where(mask, x, filled)

        dim = self.transforms.standardizer.std.shape[0]
        shape = export.symbolic_shape(f"n, {steps}, {dim}")
        arguments = (
            jax.ShapeDtypeStruct(shape, jnp.float32),
            jax.ShapeDtypeStruct(shape, jnp.bool_),
            jax.ShapeDtypeStruct((), jnp.uint32),
        )
        program = export.export(jax.jit(fill))(*arguments).serialize()
        with atomic_write(path, "wb") as file:
            file.write(program)

    def _fill(self, x, mask, key, num_samples):
        shown = np.broadcast_to((mask if mask.ndim == 3 else mask[..., None]) != 0, x.shape)
        given = x if np.issubdtype(x.dtype, np.floating) else x.astype(np.float32)
        x = np.where(shown, x, 0).astype(np.float32)
        relative, entries, restore = self.transforms.apply(x, mask)
        filled = self.method.impute(self.params, relative, entries, key, num_samples=num_samples)
        return np.where(shown, given, np.asarray(restore(filled), given.dtype))
