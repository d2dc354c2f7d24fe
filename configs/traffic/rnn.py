"""Traffic with RNN: a plain autoregressive RNN: one step after the other, no adversary.

python train.py --dataset traffic --method rnn
"""

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.rnn import RnnSettings
from naomi_jax.training.settings import Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="traffic", window=144, stride=24),
        method=RnnSettings(
            hidden=128,
            layers=1,
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
