"""Billiards with the paper's model and training (section 4.1 and the published settings).

    python train.py --dataset billiards --config configs/billiards_paper.py

Not run to its end here: on 2 CPU cores it takes days; a GPU or TPU is meant. The paper reports an L2 of
0.067e-2 on its own simulation. The number of epochs is not published; 200 is a guess, split as the
published code does: teacher-forced for two thirds, and the rate falls to a tenth at half.
"""

import ml_collections

from naomi_jax.training import defaults


def get_config(model: str = "naomi") -> ml_collections.ConfigDict:
    config = defaults.run("billiards")

    config.model = ml_collections.ConfigDict()
    config.model.kind = model  # naomi, single_res, maskgan, grui or rnn
    config.model.hidden = 300  # width of the GRUs
    config.model.layers = 2  # stacked GRU layers
    config.model.levels = 4  # resolutions: the coarsest stride is 2^(levels - 1) = 8 steps
    config.model.head_hidden = 200  # width of each level's hidden layer
    config.model.stochastic = False  # a value at each step, not a distribution
    config.model.residual = False  # heads that correct a straight line; not in the paper
    config.model.context = False  # encoders that read how far the gap goes; not in the paper
    config.model.rotation = 0.0  # largest angle a step that GRUs start turning by; not in the paper

    config.masks = defaults.masks(180, 195)
    config.standardise = "feature"  # one mean for each coordinate; "step": one at each step
    config.box_symmetries = False  # train on every flip and turn of the table; not in the paper
    config.batch_size = 64
    config.eval_epochs = 2  # epochs between validations, each followed by a checkpoint

    config.teacher_forced = defaults.phase(epochs=134, schedule="step", drop=0.75)
    config.free_running = defaults.phase(epochs=66, learning_rate=1e-4, schedule="constant")

    # Deterministic dynamics need no adversary; MaskGAN and GRUI are what they are by theirs.
    config.discriminator = defaults.discriminator()
    config.adversarial = defaults.phase(learning_rate=3e-6, schedule="constant")
    if model in ("maskgan", "grui"):
        config.adversarial.epochs = 60
    return config
