"""Basketball with level-parallel NAOMI: players in no order, samples by likelihood alone.

    python train.py --dataset basketball --data FOLDER --phases.teacher_forced.epochs=540
        --eval_epochs=60

On 657 real plays (279 for testing, 40-49 of 50 steps missing, seeds 0 to 2), 15 minutes of one CPU
core: path length 0.603 (Expert 0.601), step change 1.99e-3 (1.86), path difference 0.562 (0.576),
player distance 0.419 (0.423), out of bounds 0.04e-3 (0.18): nothing that is filled leaves the
court. The 90 % intervals hold 89.8, 89.5 and 89.7 % with 4, 7 and 10 steps shown. Half of the
training masks hide the last steps, so that the same model forecasts.

The epochs below suit the 2000 plays of the built-in simulation.
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
            # The paper's adversary on top: off, because it made the samples worse
            # (docs/results.md).
            Phase("discriminator", 0),
            Phase("adversarial", 0, Optimizer(6e-05, schedule="constant")),
        ),
        adversary=Adversary(learning_rate=4e-4, step_gain=15.0, error_weight=10.0),
        average=0.998,
        batch_size=64,
        eval_epochs=25,
    )
