"""Basketball: five attackers in the left half court, small enough for a laptop.

    python train.py --dataset basketball --data FOLDER --config.teacher_forced.epochs=150
        --config.free_running.epochs=15 --config.adversarial.epochs=60

On 657 real plays (279 for testing, 40-49 of 50 steps missing, mean of seeds 0-2), 8 minutes of training on one CPU
core: path length 0.518 (Expert 0.601, Linear 0.362, KNN 1.314), step change 1.93e-3 (1.86, 0.62, 22.3), path difference
0.437 (0.576, 0.428, 0.982), player distance 0.429 (0.423, 0.416, 0.354), out of bounds 11.2e-3 (0.18, 0.09, 0.04).

The epochs below suit the 2000 plays of the built-in simulation: path length 0.441 (Expert 0.600), step change 1.84e-3
(1.80), path difference 0.442 (0.607), player distance 0.420 (0.426), out of bounds 2.9e-3 (0.12); about 10 minutes.
"""

import ml_collections

from naomi_jax.training import defaults


def get_config(model: str = "naomi") -> ml_collections.ConfigDict:
    config = defaults.run("basketball")

    config.model = ml_collections.ConfigDict()
    config.model.kind = model  # naomi, single_res, maskgan, grui or rnn
    config.model.hidden = 128  # width of the GRUs
    config.model.layers = 1  # stacked GRU layers
    config.model.levels = 4  # resolutions: the coarsest stride is 2^(levels - 1) = 8 steps
    config.model.head_hidden = 128  # width of each level's hidden layer
    config.model.stochastic = True  # a Gaussian at each step
    config.model.residual = model == "naomi"  # heads correct a straight line; not in the paper
    config.model.context = False  # encoders that read how far the gap goes; not in the paper
    config.model.rotation = 0.0  # largest angle a step that GRUs start turning by; not in the paper

    config.masks = defaults.masks(40, 49)
    config.standardise = "feature"  # one mean for each coordinate
    config.batch_size = 64
    config.eval_epochs = 5  # epochs between validations, each followed by a checkpoint

    config.teacher_forced = defaults.phase(epochs=40, learning_rate=2e-3, warmup_epochs=1)
    config.free_running = defaults.phase(epochs=5, learning_rate=2e-4, clip=1.0)
    config.discriminator = defaults.discriminator(
        learning_rate=4e-4, pretrain_updates=200, step_gain=15.0, error_weight=10.0
    )
    config.adversarial = defaults.phase(epochs=14, learning_rate=6e-5, schedule="constant")
    if model == "rnn":  # with an adversary it is maskgan
        config.adversarial.epochs = 0
    return config
