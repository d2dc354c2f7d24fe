"""Basketball with the published settings.

    python train.py --dataset basketball --data FOLDER --config configs/basketball_paper.py

Sizes, losses, learning rates and the adversary are those of the paper and the public run; the paper trained
on 107,146 plays of STATS data, which cannot be had freely. Not run here: it needs a GPU.
"""

import ml_collections

from naomi_jax.training import defaults


def get_config(model: str = "naomi") -> ml_collections.ConfigDict:
    config = defaults.run("basketball")

    config.model = ml_collections.ConfigDict()
    config.model.kind = model  # naomi, single_res, maskgan, grui or rnn
    config.model.hidden = 300  # width of the GRUs
    config.model.layers = 2  # stacked GRU layers
    config.model.levels = 4  # resolutions: the coarsest stride is 2^(levels - 1) = 8 steps
    config.model.head_hidden = 200  # width of each level's hidden layer
    config.model.stochastic = True  # a Gaussian at each step
    config.model.residual = False  # heads that correct a straight line; not in the paper
    config.model.context = False  # encoders that read how far the gap goes; not in the paper
    config.model.rotation = 0.0  # largest angle a step that GRUs start turning by; not in the paper

    config.masks = defaults.masks(40, 49)
    config.standardise = "feature"  # one mean for each coordinate
    config.batch_size = 64
    config.eval_epochs = 5  # epochs between validations, each followed by a checkpoint

    config.teacher_forced = defaults.phase(epochs=200, schedule="step")
    config.free_running = defaults.phase()
    config.discriminator = defaults.discriminator()
    config.adversarial = defaults.phase(epochs=60, learning_rate=3e-6, schedule="constant")
    if model == "rnn":  # with an adversary it is maskgan
        config.adversarial.epochs = 0
    return config
