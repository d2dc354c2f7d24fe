"""Your own file: .npz, .npy or .csv.

    python train.py --data FILE

The training of configs/traffic.py (its results are there), with gaps of 30 to 95 % of a sequence.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
    config = ml_collections.ConfigDict()
    config.dataset = "files"
    config.data = ""  # the file, as --data gives it
    config.window = 128  # length of the sequences cut from a .csv
    config.stride = 32  # steps between two of them in the training part
    config.seed = 0

    config.model = ml_collections.ConfigDict()
    config.model.hidden = 128  # width of both GRUs
    config.model.layers = 1  # stacked GRU layers
    config.model.levels = 5  # resolutions: the coarsest stride is 2^(levels - 1) = 16 steps
    config.model.head_hidden = 128  # width of each level's hidden layer
    config.model.stochastic = False  # a value at each step, not a distribution

    config.masks = ml_collections.ConfigDict()
    config.masks.kind = "random"  # random, block, tail or file
    config.masks.low = 0.3  # fewest missing steps; below 1: a share of the sequence
    config.masks.high = 0.95  # most missing steps
    config.masks.per_sequence = False  # one mask a batch is faster
    config.masks.file = ""  # of masks.kind=file

    config.standardise = (
        "feature"  # one mean for each column; "step": one at each step of the window
    )
    config.batch_size = 8
    config.eval_epochs = 5  # epochs between validations, each followed by a checkpoint

    config.teacher_forced = ml_collections.ConfigDict()
    config.teacher_forced.epochs = 3
    config.teacher_forced.learning_rate = 1e-3
    config.teacher_forced.schedule = (
        "cosine"  # constant, cosine or step (a tenth after `drop` of the steps)
    )
    config.teacher_forced.drop = 0.5
    config.teacher_forced.warmup_epochs = 0
    config.teacher_forced.clip = 10.0  # largest norm of the gradient
    config.teacher_forced.weight_decay = 0.0
    config.teacher_forced.scale_inputs = True  # a lower rate where D > hidden

    config.free_running = ml_collections.ConfigDict()
    config.free_running.epochs = 60
    config.free_running.learning_rate = 3e-3
    config.free_running.schedule = "cosine"
    config.free_running.drop = 0.5
    config.free_running.warmup_epochs = 1
    config.free_running.clip = 1.0
    config.free_running.weight_decay = 0.0
    config.free_running.scale_inputs = True
    return config
