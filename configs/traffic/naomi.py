"""Traffic occupancy, small enough for a laptop.

    python train.py --dataset traffic --method naomi

Without a network, on the SIMULATED traffic (not PEMS-SF): L2 3.00e-4 (Linear 12.37e-4, KNN
3.86e-4), 6 to 7 minutes of training on one CPU core.

    python train.py --dataset traffic --method naomi --data traffic_hourly

On a year and a half of hourly occupancy from 20 freeway sensors (433 / 12 / 36 windows of 144
hours, 122-140 missing): L2 9.17e-4, from 9.06e-4 to 9.22e-4 (Linear 43.95e-4, KNN 10.02e-4), 2.5
minutes. Means of seeds 0 to 2 in both. The moving average of the weights takes the place of a
falling rate.
"""

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.naomi import NaomiSettings
from naomi_jax.training.settings import Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="traffic", window=144, stride=24),
        method=NaomiSettings(
            hidden=128,
            layers=1,
            levels=5,
            head_hidden=128,
        ),
        transforms=Transforms(
            standardize="step",
            neighbors=30,
        ),
        masks=MaskPair(train=Masks(missing=(122, 140)), test=Masks(missing=(122, 140))),
        phases=(
            Phase("teacher_forced", 3, Optimizer(scale_inputs=True)),
            Phase(
                "squared_error",
                60,
                Optimizer(
                    learning_rate=0.002,
                    schedule="constant",
                    warmup_epochs=1,
                    clip=1.0,
                    scale_inputs=True,
                ),
            ),
        ),
        average=0.998,
        batch_size=8,
        eval_epochs=5,
    )
