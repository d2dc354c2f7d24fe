"""Billiards, small enough for a laptop.

    python train.py --dataset billiards --method naomi

L2 0.690e-2 per step, mean of seeds 0 to 2, from 0.674 to 0.710 (Linear 19.77e-2, KNN 10.20e-2,
--method single_res 2.08e-2), 11 minutes of training on one CPU core; after 75 minutes 0.351e-2
(docs/results.md). Simulated here; the paper reports 0.067e-2 on its own simulation.

Each coordinate of a ball among four walls moves on its own. Nine tenths of the error are in
sequences of which five to seven steps are shown, so training hides more than testing.
docs/recipes.md has what each setting brings. Many small steps on the model's own imputations
beat few large ones after teacher forcing.
"""

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.naomi import NaomiSettings
from naomi_jax.training.settings import Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="billiards"),
        method=NaomiSettings(
            hidden=64,
            layers=1,
            levels=4,
            head_hidden=64,
            residual=True,
            context=True,
            rotation=0.3,
        ),
        transforms=Transforms(
            channel_independent=True,
            symmetries=True,
        ),
        masks=MaskPair(train=Masks(missing=(188, 195)), test=Masks(missing=(180, 195))),
        phases=(
            # Precision first, by the root of each error; then the few that go wrong, by its square.
            Phase("root_error", 30, Optimizer(learning_rate=0.002, warmup_epochs=1, clip=1.0)),
            # On the same optimizer, along one cosine over both.
            Phase("squared_error", 10, optimizer=None),
        ),
        batch_size=8,
        eval_epochs=2,
    )
