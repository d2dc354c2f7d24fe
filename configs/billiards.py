"""Billiards, small enough for a laptop.

    python train.py --dataset billiards

L2 9.03e-2 per step (Linear 19.77e-2, KNN 10.20e-2), seed 0, 10 minutes of training on 2 CPU cores. The error is still
falling fast then; the paper reaches 0.067e-2 with configs/billiards_paper.py and a GPU's patience.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
    config = ml_collections.ConfigDict()
    config.dataset = "billiards"
    config.data = ""  # billiards is always simulated
    config.seed = 0

    config.model = ml_collections.ConfigDict()
    config.model.hidden = 96  # width of both GRUs
    config.model.layers = 1  # stacked GRU layers
    config.model.levels = 4  # resolutions: the coarsest stride is 2^(levels - 1) = 8 steps
    config.model.head_hidden = 96  # width of each level's hidden layer
    config.model.stochastic = False  # a value at each step, not a distribution

    config.masks = ml_collections.ConfigDict()
    config.masks.kind = "random"  # random, block, tail or file
    config.masks.low = 180.0  # fewest missing steps; below 1: a share of the sequence
    config.masks.high = 195.0  # most missing steps
    config.masks.per_sequence = False  # one mask a batch is faster
    config.masks.file = ""  # of masks.kind=file

    config.standardise = "feature"  # one mean for each coordinate; "step": one at each step
    config.batch_size = 64
    config.eval_epochs = 2  # epochs between validations, each followed by a checkpoint

    config.teacher_forced = ml_collections.ConfigDict()
    config.teacher_forced.epochs = 6
    config.teacher_forced.learning_rate = 1e-3
    config.teacher_forced.schedule = (
        "cosine"  # constant, cosine or step (a tenth after `drop` of the steps)
    )
    config.teacher_forced.drop = 0.5
    config.teacher_forced.warmup_epochs = 0
    config.teacher_forced.clip = 10.0  # largest norm of the gradient
    config.teacher_forced.weight_decay = 0.0
    config.teacher_forced.scale_inputs = False  # a lower rate where D > hidden

    config.free_running = ml_collections.ConfigDict()
    config.free_running.epochs = 30
    config.free_running.learning_rate = 2e-3
    config.free_running.schedule = "cosine"
    config.free_running.drop = 0.5
    config.free_running.warmup_epochs = 1
    config.free_running.clip = 1.0
    config.free_running.weight_decay = 0.0
    config.free_running.scale_inputs = False
    return config
