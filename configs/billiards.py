"""Billiards, small enough for a laptop.

    python train.py --dataset billiards

L2 7.19e-2 per step (Linear 19.77e-2, KNN 10.20e-2, --model single_res 8.58e-2), seed 0, 10 minutes of training on one CPU
core. The error is still falling fast then; the paper reaches 0.067e-2 with configs/billiards_paper.py and a GPU's patience.
"""

import ml_collections

from naomi_jax.training import defaults


def get_config(model: str = "naomi") -> ml_collections.ConfigDict:
    config = defaults.run("billiards")

    config.model = ml_collections.ConfigDict()
    config.model.kind = model  # naomi, single_res, maskgan, grui or rnn
    config.model.hidden = 96  # width of the GRUs
    config.model.layers = 1  # stacked GRU layers
    config.model.levels = 4  # resolutions: the coarsest stride is 2^(levels - 1) = 8 steps
    config.model.head_hidden = 96  # width of each level's hidden layer
    config.model.stochastic = False  # a value at each step, not a distribution
    config.model.residual = model == "naomi"  # heads that correct a straight line; not in the paper

    config.masks = defaults.masks(180, 195)
    config.standardise = "feature"  # one mean for each coordinate; "step": one at each step
    config.box_symmetries = True  # train on every flip and turn of the table; not in the paper
    config.batch_size = 64
    config.eval_epochs = 2  # epochs between validations, each followed by a checkpoint

    config.teacher_forced = defaults.phase(epochs=6)
    config.free_running = defaults.phase(epochs=30, learning_rate=2e-3, warmup_epochs=1, clip=1.0)

    # Deterministic dynamics need no adversary; MaskGAN and GRUI are what they are by theirs.
    config.discriminator = defaults.discriminator(hidden=64, pretrain_updates=100)
    config.adversarial = defaults.phase(learning_rate=1e-4, schedule="constant")
    if model in ("maskgan", "grui"):
        config.adversarial.epochs = 3
    return config
