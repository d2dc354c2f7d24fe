"""Basketball with level-parallel NAOMI: players in no order, samples by likelihood alone.

python train.py --dataset basketball --method naomi_parallel --data FOLDER
"""

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.naomi_parallel import ParallelSettings
from naomi_jax.training.settings import Adversary, Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="basketball"),
        method=ParallelSettings(
            width=64,
            depth=2,
            states=32,
            passes=6,
            stochastic=True,
            components=4,
            columns="pairs",
            frequency=0.8,
            decay=0.7,
            targets=16,
            dropout=0.05,
        ),
        transforms=Transforms(symmetries=True, bounds=True),
        masks=MaskPair(
            train=Masks(kind="random,tail", missing=(40, 49)), test=Masks(missing=(40, 49))
        ),
        phases=(
            Phase(
                "teacher_forced",
                175,
                Optimizer(2e-3, warmup_epochs=4, clip=1.0, weight_decay=1e-3),
            ),
            # Off: the adversary of the paper brings nothing here (docs/results.md).
            Phase("discriminator", 0),
            Phase("adversarial", 0, Optimizer(6e-05, schedule="constant")),
        ),
        adversary=Adversary(learning_rate=4e-4, step_gain=15.0, error_weight=10.0),
        average=0.998,
        batch_size=64,
        eval_epochs=25,
    )
