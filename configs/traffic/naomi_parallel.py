"""Traffic with level-parallel NAOMI: everything at once, from what is shown.

python train.py --dataset traffic --method naomi_parallel
"""

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.naomi_parallel import ParallelSettings
from naomi_jax.training.settings import Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="traffic", window=144, stride=24),
        method=ParallelSettings(width=128, depth=2, states=32, targets=32, dropout=0.1),
        transforms=Transforms(standardize="step", neighbors=30),
        masks=MaskPair(train=Masks(missing=(122, 140)), test=Masks(missing=(122, 140))),
        phases=(
            Phase(
                "teacher_forced",
                150,
                Optimizer(learning_rate=1e-3, warmup_epochs=3, clip=1.0, weight_decay=1e-2),
            ),
        ),
        average=0.998,
        batch_size=16,
        eval_epochs=10,
    )
