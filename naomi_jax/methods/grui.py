"""GRUI (Luo et al., 2018) as the paper compares with it: a GRU whose state fades with the time lag.

Before each step the state is multiplied by 1 / exp(max(0, w * lag + b)), where lag counts the steps since
the last observation. Autoregressive; trained on complete sequences, against one discriminator output
for the whole sequence.
"""

import functools

from naomi_jax.methods import autoregressive

init = functools.partial(autoregressive.init, decay=True)
impute = autoregressive.impute
teacher_forced = autoregressive.teacher_forced
