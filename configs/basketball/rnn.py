"""Basketball with RNN: a plain autoregressive RNN: one step after the other, no adversary.

python train.py --dataset basketball --method rnn
"""

from naomi_jax.data.masks import Masks
from naomi_jax.methods.rnn import RnnSettings
from naomi_jax.training.settings import Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="basketball"),
        method=RnnSettings(
            hidden=128,
            layers=1,
            head_hidden=128,
            stochastic=True,
        ),
        masks=MaskPair(train=Masks(missing=(40, 49)), test=Masks(missing=(40, 49))),
        phases=(
            Phase("teacher_forced", 40, Optimizer(learning_rate=0.002, warmup_epochs=1)),
            Phase("squared_error", 5, Optimizer(learning_rate=0.0002, clip=1.0)),
        ),
        batch_size=64,
        eval_epochs=5,
    )
