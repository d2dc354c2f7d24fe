"""Parts of a config, each field with its default and its meaning; configs/ state what differs."""

import ml_collections


def run(dataset: str) -> ml_collections.ConfigDict:
    """A config with what every run has; configs/ go on from there."""
    config = ml_collections.ConfigDict()
    config.dataset = dataset
    config.data = ""  # a copy of the data, as --data gives it; "" takes the built-in source
    config.seed = 0
    config.task = "impute"  # or forecast: only leading steps are observed; no teacher forcing
    config.start_from = ""  # folder of a run to begin with; a forecast takes the imputation run
    config.precision = "float32"  # of matrix products; "bfloat16" on a TPU or GPU
    config.root_share = 0.0  # first share of free running that counts a sequence by its root error
    config.average = 0.0  # decay of a moving average of the weights, which then imputes; 0: none
    config.channel_independent = False  # one model with D = 1 for each of the D values on its own
    config.neighbours = 0  # similar training sequences to learn the difference from; 0: none
    return config


def masks(low: float, high: float) -> ml_collections.ConfigDict:
    """How steps are hidden, in training and in testing; the first step is always observed."""
    config = ml_collections.ConfigDict()
    config.kind = "random"  # random, block, tail (the last steps: a forecast) or file
    config.low = float(low)  # fewest missing steps; below 1: a share of the sequence
    config.high = float(high)  # most missing steps
    config.training_low = 0.0  # fewest in training, where that differs; 0: low
    config.per_sequence = False  # in training; one mask a batch is faster
    config.file = ""  # of kind "file"
    return config


def phase(**changes) -> ml_collections.ConfigDict:
    """A phase of training: Adam with clipping and a schedule.

    Args:
      changes: fields that differ from the defaults.
    """
    config = ml_collections.ConfigDict()
    config.epochs = 0  # 0: no such phase
    config.learning_rate = 1e-3  # at its highest
    config.schedule = "cosine"  # to zero; or constant; or step: a tenth after `drop` of the steps
    config.drop = 0.5
    config.warmup_epochs = 0  # over which the rate rises from zero
    config.clip = 10.0  # largest global norm of the gradient
    config.weight_decay = 0.0  # of AdamW, on matrices
    config.scale_inputs = False  # input weights take min(1, hidden / D) of the rate
    config.update(changes)
    return config


def discriminator(**changes) -> ml_collections.ConfigDict:
    """The adversary, as in the published run; used where the adversarial phase has epochs.

    Args:
      changes: fields that differ from the defaults.
    """
    config = ml_collections.ConfigDict()
    config.hidden = 128  # width of its GRU and its hidden layer
    config.learning_rate = 1e-3
    config.clip = 10.0
    config.updates = 3  # before each of the generator's
    config.pretrain_updates = 2000  # at most, while the generator stands still
    config.pretrain_until = 0.3  # its mean output on imputed steps
    config.gate = 0.8  # the generator waits while that output is above
    config.step_gain = 0.0  # it also reads the steps times this; 0: places alone
    config.error_weight = 0.0  # of the squared error in the generator's loss
    config.update(changes)
    return config
