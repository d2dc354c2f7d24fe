"""Billiards with RNN: a plain autoregressive RNN: one step after the other, no adversary.

python train.py --dataset billiards --method rnn
"""

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.rnn import RnnSettings
from naomi_jax.training.settings import Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="billiards"),
        method=RnnSettings(
            hidden=96,
            layers=1,
            head_hidden=96,
        ),
        transforms=Transforms(
            symmetries=True,
        ),
        masks=MaskPair(train=Masks(missing=(180, 195)), test=Masks(missing=(180, 195))),
        phases=(
            Phase("teacher_forced", 6),
            Phase("squared_error", 30, Optimizer(learning_rate=0.002, warmup_epochs=1, clip=1.0)),
        ),
        batch_size=64,
        eval_epochs=2,
    )
