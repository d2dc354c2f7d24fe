"""Billiards with SingleRes and all of NAOMI's additions, in the same training time.

    python train.py --config configs/billiards/single_res_tuned.py --workdir runs/single_res_tuned

L2 0.689e-2 (seed 0), as NAOMI has with them (configs/billiards/naomi.py), and a smoother path:
on these data the additions bring the distance, not the resolutions (docs/results.md).
"""

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.single_res import SingleResSettings
from naomi_jax.training.settings import Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="billiards"),
        method=SingleResSettings(
            hidden=64,
            layers=1,
            head_hidden=64,
            residual=True,
            context=True,
            rotation=0.3,
        ),
        transforms=Transforms(
            channel_independent=True,
            symmetries=True,
        ),
        masks=MaskPair(train=Masks(missing=(188, 195)), test=Masks(missing=(180, 195))),
        phases=(
            Phase("root_error", 43.5, Optimizer(learning_rate=0.002, warmup_epochs=1, clip=1.0)),
            Phase("squared_error", 14.5, optimizer=None),
        ),
        batch_size=8,
        eval_epochs=2,
    )
