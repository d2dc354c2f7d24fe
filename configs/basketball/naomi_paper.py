"""Basketball with the published settings.

    python train.py --config configs/basketball/naomi_paper.py --data FOLDER

Sizes, losses, learning rates and the adversary are those of the paper and the public run; the
paper trained on 107,146 plays of STATS data, which cannot be had freely. Not run here: it needs
a GPU.
"""

from naomi_jax.data.masks import Masks
from naomi_jax.methods.naomi import NaomiSettings
from naomi_jax.training.settings import Adversary, Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="basketball"),
        method=NaomiSettings(
            hidden=300,
            layers=2,
            levels=4,
            head_hidden=200,
            stochastic=True,
        ),
        masks=MaskPair(train=Masks(missing=(40, 49)), test=Masks(missing=(40, 49))),
        phases=(
            Phase("teacher_forced", 100, Optimizer(schedule="constant")),
            Phase("teacher_forced", 100, Optimizer(learning_rate=0.0001, schedule="constant")),
            # At most 2000 updates of the paper's plays.
            Phase("discriminator", 1.33),
            Phase("adversarial", 60, Optimizer(learning_rate=3e-06, schedule="constant")),
        ),
        adversary=Adversary(),
        batch_size=64,
        eval_epochs=5,
    )
