"""Billiards with level-parallel NAOMI: everything at once, from what is shown.

    python train.py --dataset billiards

L2 0.325e-2 per step, seeds 0 to 2: 0.310, 0.347, 0.317 (Linear 19.77e-2, KNN 10.20e-2, --method
naomi 0.690e-2), 7 to 11 minutes of training on one CPU core. Simulated here; the paper reports
0.067e-2 on its own simulation.

Each coordinate of a ball among four walls moves on its own, and as well backwards. Training
hides more than testing, because nearly all of the error is in sequences of which five to seven
steps are shown. Three quarters of the updates go by the root of each sequence's error, for
precision; the last quarter by its square, for the few that go wrong.
"""

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.naomi_parallel import ParallelSettings
from naomi_jax.training.settings import Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="billiards"),
        method=ParallelSettings(width=64, depth=2, states=32, passes=1, targets=16),
        transforms=Transforms(channel_independent=True, symmetries=True, time_reversal=True),
        masks=MaskPair(train=Masks(missing=(188, 195)), test=Masks(missing=(180, 195))),
        phases=(
            Phase("teacher_forced_root", 180, Optimizer(3e-3, warmup_epochs=4, clip=1.0)),
            # On the same optimizer, along one cosine over both.
            Phase("teacher_forced", 60, optimizer=None),
        ),
        average=0.999,
        batch_size=32,
        eval_epochs=10,
    )
