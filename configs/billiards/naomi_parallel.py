"""Billiards with level-parallel NAOMI: everything at once, from what is shown.

python train.py --dataset billiards --method naomi_parallel
"""

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.naomi_parallel import ParallelSettings
from naomi_jax.training.settings import Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="billiards"),
        method=ParallelSettings(width=64, depth=2, states=32, targets=16),
        transforms=Transforms(channel_independent=True, symmetries=True, time_reversal=True),
        masks=MaskPair(train=Masks(missing=(188, 195)), test=Masks(missing=(180, 195))),
        phases=(
            Phase("teacher_forced_root", 180, Optimizer(3e-3, warmup_epochs=4, clip=1.0)),
            Phase("teacher_forced", 60, optimizer=None),
        ),
        batch_size=32,
        average=0.999,
        eval_epochs=10,
    )
