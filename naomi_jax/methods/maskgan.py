"""MaskGAN (Fedus et al., 2018) as the paper compares with it: a forward encoder and one resolution.

Autoregressive, and trained against a discriminator of every step, which makes it adversarial imitation
(the paper, section 4.1). Without the adversary it is a plain autoregressive RNN.
"""

import functools

from naomi_jax.methods import autoregressive

init = functools.partial(autoregressive.init, decay=False)
impute = autoregressive.impute
teacher_forced = autoregressive.teacher_forced
