"""The shapes in the signatures: checked by jaxtyping, in a process that imports the room anew."""

import subprocess
import sys

CODE = """
import warnings
from jaxtyping import install_import_hook
with install_import_hook("naomi_jax.recursion", "beartype.beartype"):
    import naomi_jax
    from naomi_jax.recursion import impute, model, teacher_forced
    from naomi_jax.recursion.cells import heads, rows
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError

jax.config.update("jax_disable_most_optimizations", True)
rng = np.random.default_rng(0)
key = jax.random.key(0)
x = rng.standard_normal((3, 7, 2)).astype(np.float32)
masks = [np.arange(7) % 3 == 0, rng.random((3, 7)) < 0.4, rng.random((3, 7, 2)) < 0.4]
for additions, mask in ((True, masks[0]), (True, masks[1]), (True, masks[2]), (False, masks[2])):
    params = naomi_jax.init(key, naomi_jax.ModelConfig(2, 4, 2, 3, 5, *[additions] * 3))
    # Shapes are looked at while a program is traced: nothing has to be compiled.
    jax.eval_shape(jax.grad(lambda p: naomi_jax.impute(p, x, mask, key).sum()), params)
jax.eval_shape(lambda p: naomi_jax.impute(p, x[0], masks[0], key, num_samples=2), params)
lengths = np.array([7, 3, 1])
jax.eval_shape(lambda p: naomi_jax.impute(p, x, masks[1], key, lengths=lengths), params)
jax.eval_shape(lambda p: teacher_forced.teacher_forced(p, jnp.asarray(x), masks[1]), params)

# A wrong shape is an error: the annotations are really looked at.
state = jnp.zeros((3, 4))
for wrong in (
    lambda: rows.write(jnp.zeros((9, 3, 4)), jnp.array(0), jnp.zeros((2, 4))),
    lambda: rows.read(jnp.zeros((9, 3, 4)), jnp.array(0.0)),
    lambda: heads.apply_head(heads.level_heads(params)[0], state, jnp.zeros((2, 4))),
    lambda: naomi_jax.impute(params, x[0, 0], masks[0], key),
    lambda: teacher_forced.teacher_forced(params, jnp.asarray(x), masks[1][:, :3]),
):
    with pytest.raises(TypeCheckError):
        wrong()
print("checked")
"""


def test_signatures_are_true():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.stdout.strip() == "checked", done.stderr[-3000:]
