"""Billiards with SingleRes as the paper has it, trained on its own imputations.

python train.py --dataset billiards --method single_res
"""

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.single_res import SingleResSettings
from naomi_jax.training.settings import Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="billiards"),
        method=SingleResSettings(
            hidden=96,
            layers=1,
            head_hidden=96,
        ),
        transforms=Transforms(
            symmetries=True,
        ),
        masks=MaskPair(train=Masks(missing=(180, 195)), test=Masks(missing=(180, 195))),
        phases=(
            Phase("squared_error", 60, Optimizer(learning_rate=0.002, warmup_epochs=1, clip=1.0)),
        ),
        batch_size=16,
        eval_epochs=2,
    )
