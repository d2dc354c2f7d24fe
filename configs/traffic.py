"""Traffic occupancy, small enough for a laptop.

    python train.py --dataset traffic

With no network, on the SIMULATED traffic (not PEMS-SF): L2 3.78e-4 (Linear 12.37e-4, KNN 3.86e-4), 6 minutes of
training on 2 CPU cores.

    python train.py --dataset traffic --data traffic_hourly

On a year and a half of hourly occupancy from 20 freeway sensors (433 / 12 / 36 windows of 144 hours, 122-140
missing): L2 9.93e-4 (Linear 43.95e-4, KNN 10.02e-4), 3 minutes. Seed 0 in both.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
    config = ml_collections.ConfigDict()
    config.dataset = "traffic"
    config.data = ""  # a copy of the data, as --data gives it; "" downloads or simulates
    config.window = 144  # length of the sequences cut from a .csv
    config.stride = 24  # steps between two of them in the training part
    config.seed = 0

    config.model = ml_collections.ConfigDict()
    config.model.hidden = 128  # width of both GRUs
    config.model.layers = 1  # stacked GRU layers
    config.model.levels = 5  # resolutions: the coarsest stride is 2^(levels - 1) = 16 steps
    config.model.head_hidden = 128  # width of each level's hidden layer
    config.model.stochastic = False  # a value at each step, not a distribution

    config.masks = ml_collections.ConfigDict()
    config.masks.kind = "random"  # random, block, tail or file
    config.masks.low = 122.0  # fewest missing steps; below 1: a share of the sequence
    config.masks.high = 140.0  # most missing steps
    config.masks.per_sequence = False  # one mask a batch is faster
    config.masks.file = ""  # of masks.kind=file

    config.standardise = "step"  # subtract the mean day; "feature": one mean for each sensor
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
