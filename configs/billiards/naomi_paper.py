"""Billiards with the paper's model and training (section 4.1 and the published settings).

    python train.py --config configs/billiards/naomi_paper.py

Not run to its end here: on 2 CPU cores it takes days; a GPU or TPU is meant. The paper reports
an L2 of 0.067e-2 on its own simulation. The number of epochs is not published; 200 is a guess,
split as the published code does: teacher-forced for two thirds, and the rate falls to a tenth at
half.
"""

from naomi_jax.data.masks import Masks
from naomi_jax.methods.naomi import NaomiSettings
from naomi_jax.training.settings import Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="billiards"),
        method=NaomiSettings(
            hidden=300,
            layers=2,
            levels=4,
            head_hidden=200,
        ),
        masks=MaskPair(train=Masks(missing=(180, 195)), test=Masks(missing=(180, 195))),
        phases=(
            Phase("teacher_forced", 100, Optimizer(schedule="constant")),
            Phase("teacher_forced", 34, Optimizer(learning_rate=0.0001, schedule="constant")),
            Phase("squared_error", 66, Optimizer(learning_rate=0.0001, schedule="constant")),
        ),
        batch_size=64,
        eval_epochs=2,
    )
