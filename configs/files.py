"""Your own file: .npz, .npy or .csv.

    python train.py --data FILE

Training as for traffic (configs/traffic.py), with gaps of 30 to 95 % of a sequence and a rate that falls, which needs fewer epochs
than an average of the weights. docs/recipes.md has what neighbours and residual heads bring on two made-up files.
"""

import ml_collections

from naomi_jax.training import defaults


def get_config(model: str = "naomi") -> ml_collections.ConfigDict:
    config = defaults.run("files")
    config.window = 128  # length of the sequences cut from a .csv
    config.stride = 32  # steps between two of them in the training part

    config.model = ml_collections.ConfigDict()
    config.model.kind = model  # naomi, single_res, maskgan, grui or rnn
    config.model.hidden = 128  # width of the GRUs
    config.model.layers = 1  # stacked GRU layers
    config.model.levels = 5  # resolutions: the coarsest stride is 2^(levels - 1) = 16 steps
    config.model.head_hidden = 128  # width of each level's hidden layer
    config.model.stochastic = False  # a value at each step, not a distribution
    config.model.residual = model == "naomi"  # heads correct a straight line; not in the paper
    config.model.context = False  # encoders that read how far the gap goes; not in the paper
    config.model.rotation = 0.0  # largest angle a step that GRUs start turning by; not in the paper

    config.masks = defaults.masks(0.3, 0.95)
    config.standardise = (
        "feature"  # one mean for each column; "step": one at each step of the window
    )
    # Neighbours and an adversary do not go together.
    config.neighbours = 0 if model in ("maskgan", "grui") else 30
    config.batch_size = 8
    config.eval_epochs = 5  # epochs between validations, each followed by a checkpoint

    config.teacher_forced = defaults.phase(epochs=3, scale_inputs=True)
    config.free_running = defaults.phase(
        epochs=60, learning_rate=3e-3, warmup_epochs=1, clip=1.0, scale_inputs=True
    )

    # Deterministic dynamics need no adversary; MaskGAN and GRUI are what they are by theirs.
    config.discriminator = defaults.discriminator(hidden=64, pretrain_updates=100)
    config.adversarial = defaults.phase(learning_rate=1e-4, schedule="constant")
    if model in ("maskgan", "grui"):
        config.adversarial.epochs = 10
    return config
