"""Billiards with the paper's model and training (section 4.1 and the published settings).

    python train.py --dataset billiards --config configs/billiards_paper.py

Not run to its end here: on 2 CPU cores it takes days; a GPU or TPU is meant. The paper reports an L2 of
0.067e-2 on its own simulation. The number of epochs is not published; 200 is a guess, split as the
published code does: teacher-forced for two thirds, and the rate falls to a tenth at half.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
    config = ml_collections.ConfigDict()
    config.dataset = "billiards"
    config.data = ""  # billiards is always simulated
    config.seed = 0

    config.model = ml_collections.ConfigDict()
    config.model.hidden = 300  # width of both GRUs
    config.model.layers = 2  # stacked GRU layers
    config.model.levels = 4  # resolutions: the coarsest stride is 2^(levels - 1) = 8 steps
    config.model.head_hidden = 200  # width of each level's hidden layer
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
    config.teacher_forced.epochs = 134
    config.teacher_forced.learning_rate = 1e-3
    config.teacher_forced.schedule = (
        "step"  # constant, cosine or step (a tenth after `drop` of the steps)
    )
    config.teacher_forced.drop = 0.75  # half of all 200 epochs
    config.teacher_forced.warmup_epochs = 0
    config.teacher_forced.clip = 10.0  # largest norm of the gradient
    config.teacher_forced.weight_decay = 0.0
    config.teacher_forced.scale_inputs = False  # a lower rate where D > hidden

    config.free_running = ml_collections.ConfigDict()
    config.free_running.epochs = 66
    config.free_running.learning_rate = 1e-4
    config.free_running.schedule = "constant"
    config.free_running.drop = 0.5
    config.free_running.warmup_epochs = 0
    config.free_running.clip = 10.0
    config.free_running.weight_decay = 0.0
    config.free_running.scale_inputs = False
    return config
