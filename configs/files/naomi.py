"""Your own file: .npz, .npy or .csv.

    python train.py --data FILE

Trained as traffic is (configs/traffic/naomi.py), with gaps of 30 to 95 % of a sequence and a
rate that falls, which needs fewer epochs than an average of the weights. docs/recipes.md has
what neighbors and residual heads bring on two made-up files.
"""

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.naomi import NaomiSettings
from naomi_jax.training.settings import Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="files", window=128, stride=32),
        method=NaomiSettings(
            hidden=128,
            layers=1,
            levels=5,
            head_hidden=128,
            residual=True,
        ),
        transforms=Transforms(
            neighbors=30,
        ),
        masks=MaskPair(train=Masks(share=(0.3, 0.95)), test=Masks(share=(0.3, 0.95))),
        phases=(
            Phase("teacher_forced", 3, Optimizer(scale_inputs=True)),
            Phase(
                "squared_error",
                60,
                Optimizer(learning_rate=0.003, warmup_epochs=1, clip=1.0, scale_inputs=True),
            ),
        ),
        batch_size=8,
        eval_epochs=5,
    )
