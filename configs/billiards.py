"""Billiards, small enough for a laptop.

    python train.py --dataset billiards

L2 0.690e-2 per step, mean of seeds 0 to 2, from 0.674 to 0.710 (Linear 19.77e-2, KNN 10.20e-2, --model single_res 2.08e-2), 11 minutes of
training on one CPU core; after 75 minutes 0.351e-2 (docs/results.md). Simulated here; the paper reports 0.067e-2 on its own simulation.
docs/recipes.md has what each setting brings.
"""

import ml_collections

from naomi_jax.training import defaults


def get_config(model: str = "naomi") -> ml_collections.ConfigDict:
    config = defaults.run("billiards")
    ours = model == "naomi"
    free = model in ("naomi", "single_res")  # trained on their own imputations alone
    # Precision first, by the root of each sequence's error; then the few that go wrong, by its square.
    config.root_share = 0.75 if ours else 0.0
    # Each coordinate of a ball among four walls moves on its own; not in the paper.
    config.channel_independent = ours

    config.model = ml_collections.ConfigDict()
    config.model.kind = model  # naomi, single_res, maskgan, grui or rnn
    config.model.hidden = 64 if ours else 96  # width of the GRUs
    config.model.layers = 1  # stacked GRU layers
    config.model.levels = 4  # resolutions: the coarsest stride is 2^(levels - 1) = 8 steps
    config.model.head_hidden = 64 if ours else 96  # width of each level's hidden layer
    config.model.stochastic = False  # a value at each step, not a distribution
    config.model.residual = ours  # heads that correct a straight line; not in the paper
    config.model.context = ours  # encoders that read how far the gap goes; not in the paper
    # Largest angle a step that GRUs start turning by; not in the paper.
    config.model.rotation = 0.3 if ours else 0.0

    config.masks = defaults.masks(180, 195)
    # Nine tenths of the error are in sequences of which five to seven steps are left.
    config.masks.training_low = 188.0 if ours else 0.0
    config.standardise = "feature"  # one mean for each coordinate; "step": one at each step
    config.box_symmetries = True  # train on every flip and turn of the table; not in the paper
    config.eval_epochs = 2  # epochs between validations, each followed by a checkpoint

    # About ten minutes each. Many small steps on the model's own imputations beat few large ones after
    # teacher forcing; MaskGAN, GRUI and the RNN keep the settings of their rows in docs/results.md.
    config.batch_size = {"naomi": 8, "single_res": 16}.get(model, 64)
    config.teacher_forced = defaults.phase(epochs=0 if free else 6)
    config.free_running = defaults.phase(
        epochs={"naomi": 40, "single_res": 60}.get(model, 30),
        learning_rate=2e-3,
        warmup_epochs=1,
        clip=1.0,
    )

    # Deterministic dynamics need no adversary; MaskGAN and GRUI are what they are by theirs.
    config.discriminator = defaults.discriminator(hidden=64, pretrain_updates=100)
    config.adversarial = defaults.phase(learning_rate=1e-4, schedule="constant")
    if model in ("maskgan", "grui"):
        config.adversarial.epochs = 3
    return config
