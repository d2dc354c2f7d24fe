"""Basketball: five attackers in the left half court, small enough for a laptop.

    python train.py --dataset basketball --data FOLDER --phases.teacher_forced.epochs=150
        --phases.squared_error.epochs=15 --phases.discriminator.epochs=20
        --phases.adversarial.epochs=60

On 657 real plays (279 for testing, 40-49 of 50 steps missing, mean of seeds 0-2), 8 minutes of
training on one CPU core: path length 0.518 (Expert 0.601, Linear 0.362, KNN 1.314), step change
1.93e-3 (1.86, 0.62, 22.3), path difference 0.437 (0.576, 0.428, 0.982), player distance 0.429
(0.423, 0.416, 0.354), out of bounds 11.2e-3 (0.18, 0.09, 0.04).

The epochs below suit the 2000 plays of the built-in simulation: path length 0.441 (Expert
0.600), step change 1.84e-3 (1.80), path difference 0.442 (0.607), player distance 0.420 (0.426),
out of bounds 2.9e-3 (0.12); about 10 minutes.
"""

from naomi_jax.data.masks import Masks
from naomi_jax.methods.naomi import NaomiSettings
from naomi_jax.training.settings import Adversary, Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="basketball"),
        method=NaomiSettings(
            hidden=128,
            layers=1,
            levels=4,
            head_hidden=128,
            stochastic=True,
            residual=True,
        ),
        masks=MaskPair(train=Masks(missing=(40, 49)), test=Masks(missing=(40, 49))),
        phases=(
            Phase("teacher_forced", 40, Optimizer(learning_rate=0.002, warmup_epochs=1)),
            Phase("squared_error", 5, Optimizer(learning_rate=0.0002, clip=1.0)),
            # At most 200 updates of the 2000 simulated plays.
            Phase("discriminator", 7.15),
            Phase("adversarial", 14, Optimizer(learning_rate=6e-05, schedule="constant")),
        ),
        adversary=Adversary(learning_rate=4e-4, step_gain=15.0, error_weight=10.0),
        batch_size=64,
        eval_epochs=5,
    )
