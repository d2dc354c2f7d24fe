"""Traffic with the paper's model and training (section 4.1 and the published settings).

    python train.py --config configs/traffic/naomi_paper.py --data pems+sf.zip

Not run to its end here: on 2 CPU cores it takes many hours; a GPU or TPU is meant. The paper
reports an L2 of 3.54e-4 on PEMS-SF. The number of epochs is not published; 200 is a guess,
teacher-forced to the end, with a tenth of the rate in the second half.
"""

from naomi_jax.data.masks import Masks
from naomi_jax.methods.naomi import NaomiSettings
from naomi_jax.training.settings import Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="traffic", window=144, stride=24),
        method=NaomiSettings(
            hidden=300,
            layers=2,
            levels=4,
            head_hidden=200,
        ),
        masks=MaskPair(train=Masks(missing=(122, 140)), test=Masks(missing=(122, 140))),
        phases=(
            Phase("teacher_forced", 100, Optimizer(schedule="constant")),
            Phase("teacher_forced", 100, Optimizer(learning_rate=0.0001, schedule="constant")),
        ),
        batch_size=64,
        eval_epochs=5,
    )
