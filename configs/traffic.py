"""Traffic occupancy, small enough for a laptop.

    python train.py --dataset traffic

With no network, on the SIMULATED traffic (not PEMS-SF): L2 3.00e-4 (Linear 12.37e-4, KNN 3.86e-4), 6 to 7 minutes of training on
one CPU core.

    python train.py --dataset traffic --data traffic_hourly

On a year and a half of hourly occupancy from 20 freeway sensors (433 / 12 / 36 windows of 144 hours, 122-140
missing): L2 9.17e-4, from 9.06e-4 to 9.22e-4 (Linear 43.95e-4, KNN 10.02e-4), 2.5 minutes. Means of seeds 0 to 2 in both.
"""

import ml_collections

from naomi_jax.training import defaults


def get_config(model: str = "naomi") -> ml_collections.ConfigDict:
    config = defaults.run("traffic")
    config.window = 144  # length of the sequences cut from a .csv
    config.stride = 24  # steps between two of them in the training part

    config.model = ml_collections.ConfigDict()
    config.model.kind = model  # naomi, single_res, maskgan, grui or rnn
    config.model.hidden = 128  # width of the GRUs
    config.model.layers = 1  # stacked GRU layers
    config.model.levels = 5  # resolutions: the coarsest stride is 2^(levels - 1) = 16 steps
    config.model.head_hidden = 128  # width of each level's hidden layer
    config.model.stochastic = False  # a value at each step, not a distribution
    config.model.residual = False  # heads that correct a straight line; not in the paper
    config.model.context = False  # encoders that read how far the gap goes; not in the paper
    config.model.rotation = 0.0  # largest angle a step that GRUs start turning by; not in the paper

    config.masks = defaults.masks(122, 140)
    config.standardise = "step"  # subtract the mean day; "feature": one mean for each sensor
    adversarial = model in ("maskgan", "grui")  # no neighbours with an adversary
    config.neighbours = 0 if adversarial else 30
    config.average = 0.0 if adversarial else 0.998  # not in the paper
    config.batch_size = 8
    config.eval_epochs = 5  # epochs between validations, each followed by a checkpoint

    config.teacher_forced = defaults.phase(epochs=3, scale_inputs=True)
    config.free_running = defaults.phase(
        epochs=60,
        # The average takes the place of a falling rate.
        learning_rate=3e-3 if adversarial else 2e-3,
        schedule="cosine" if adversarial else "constant",
        warmup_epochs=1,
        clip=1.0,
        scale_inputs=True,
    )

    # Deterministic dynamics need no adversary; MaskGAN and GRUI are what they are by theirs.
    config.discriminator = defaults.discriminator(hidden=64, pretrain_updates=100)
    config.adversarial = defaults.phase(learning_rate=1e-4, schedule="constant")
    if adversarial:
        config.adversarial.epochs = 10
    return config
