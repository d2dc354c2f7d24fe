"""Your own file with RNN: a plain autoregressive RNN: one step after the other, no adversary.

python train.py --data FILE --method rnn
"""

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.rnn import RnnSettings
from naomi_jax.training.settings import Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="files", window=128, stride=32),
        method=RnnSettings(
            hidden=128,
            layers=1,
            head_hidden=128,
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
