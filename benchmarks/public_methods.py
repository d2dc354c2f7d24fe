"""The methods of benchmarks/public.py: functions of (cell, minutes, seed).

Each gives its fills (m, D) by name (several where it fills the test rows in several ways), and the
moments (time.monotonic) at which it began to learn and had learned. A fill that comes with samples
is a Fill.
"""

import dataclasses
import os
import tempfile
import time

import numpy as np
import pandas as pd


@dataclasses.dataclass
class Fill:
    """A fill with samples beside it.

    Attributes:
      values: (m, D).
      samples: (S, m, D); NaN where no entry is scored is fine.
      interval: (low, high), should hold nine tenths of the truth; None: that of the samples.
    """

    values: np.ndarray
    samples: np.ndarray
    interval: tuple[np.ndarray, np.ndarray] | None = None


def use_threads(count):
    """For torch and jax alike; before jax starts."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    os.environ.setdefault("OMP_NUM_THREADS", str(count))


def line(cell, minutes, seed):
    """A straight line within each window, the nearest value at its ends, 0 without any."""
    del minutes, seed
    began = time.monotonic()

    def straight(rows):
        return pd.DataFrame(rows).interpolate(limit_direction="both").fillna(0).to_numpy()

    alone = by_windows(cell, lambda windows: np.stack([straight(rows) for rows in windows]))
    return {"": alone, "whole table": straight(cell.shown)}, (began, began)


def knn(cell, minutes, seed):
    """scikit-learn's KNNImputer: rows alone, learned from the last 5,000."""
    del minutes, seed
    from sklearn.impute import KNNImputer

    began = time.monotonic()
    model = KNNImputer(n_neighbors=10, keep_empty_features=True).fit(cell.learn[-5000:])
    fitted = time.monotonic()
    return {"": model.transform(cell.shown)}, (began, fitted)


def iterative(cell, minutes, seed):
    """scikit-learn's IterativeImputer, as it comes."""
    del minutes
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    began = time.monotonic()
    model = IterativeImputer(random_state=seed, keep_empty_features=True).fit(cell.learn)
    fitted = time.monotonic()
    return {"": model.transform(cell.shown)}, (began, fitted)


def imputer(cell, minutes, seed):
    """Imputer as a user gets it; the test windows alone, and the test rows as one table."""
    import naomi_jax

    names = [f"c{i}" for i in range(cell.learn.shape[1])]
    learn = pd.DataFrame(cell.learn, cell.learn_times, names)
    began = time.monotonic()
    model = naomi_jax.Imputer(seed=seed, minutes=minutes).fit(learn)
    fitted = time.monotonic()

    def fill(windows):
        count, rows, dim = windows.shape
        label = np.repeat(np.arange(count), rows)
        times = cell.times.to_numpy()[rows_of_test_windows(cell)].reshape(-1)
        frame = pd.DataFrame(windows.reshape(-1, dim), times, names)
        filled = model.transform(frame.assign(window=label), group="window")
        return filled[names].to_numpy().reshape(windows.shape)

    fills = {"": by_windows(cell, fill)} if cell.stride > 1 else {}
    whole = pd.DataFrame(cell.shown, cell.times, names)
    filled = model.transform(whole).to_numpy()
    low, high = (side.to_numpy() for side in model.interval(whole, level=0.9))
    samples = np.stack([table.to_numpy() for table in model.sample(whole, 50)])
    return {**fills, "whole table": Fill(filled, samples, (low, high))}, (began, fitted)


def rows_of_windows(count, length, stride):
    """(N, length), the rows of windows among `count`."""
    return np.arange(0, count - length + 1, stride)[:, None] + np.arange(length)


def rows_of_test_windows(cell):
    """The rows of each test window."""
    return rows_of_windows(len(cell.shown), cell.window, cell.stride)


def by_windows(cell, fill):
    """Fills of the test windows, averaged where they overlap."""
    rows = rows_of_test_windows(cell)
    filled = fill(cell.shown[rows])
    total, count = np.zeros_like(cell.truth), np.zeros((len(cell.truth), 1))
    np.add.at(total, rows, filled)
    np.add.at(count, rows, 1)
    return total / np.maximum(count, 1)


def samples_by_windows(cell, draw):
    """(S, m, D), each row from one window: an average over windows has another distribution.

    Windows in which nothing is scored are not drawn: their rows are NaN.
    """
    last = len(cell.shown) - cell.window
    # The last rows' own window comes first: the others then overwrite what they share with it.
    rows = np.concatenate(
        [
            [np.arange(last, len(cell.shown))],
            rows_of_windows(len(cell.shown), cell.window, cell.window),
        ]
    )
    rows = rows[cell.scored[rows].any((1, 2))]
    drawn = draw(cell.shown[rows])
    samples = np.full((len(drawn), *cell.shown.shape), np.nan)
    for window, mine in enumerate(rows):
        samples[:, mine] = drawn[:, window]
    return samples


def pypots(make, draw=None, fills=True):
    """A method of PyPOTS: trained on windows, early stopping by the validation part.

    Args:
      make: (steps, columns, epochs, folder) -> the model.
      draw: of a model that can: (model, windows) -> samples (S, N, T, D).
      fills: it has a fill of its own; if not, its fill is the median of the samples.
    """

    def run(cell, minutes, seed):
        mean, std = np.nanmean(cell.learn, axis=0), np.nanstd(cell.learn, axis=0)
        with tempfile.TemporaryDirectory() as folder:
            model, moments = trained(make, cell, (cell.learn - mean) / std, minutes, seed, folder)

            def given(shown):
                return ((shown - mean) / std).astype(np.float32)

            def fill(shown):
                filled = np.asarray(model.impute({"X": given(shown)}))
                return filled.reshape(shown.shape) * std + mean  # some have an axis of one sample

            filled = by_windows(cell, fill) if fills else None
            if draw:
                samples = samples_by_windows(
                    cell, lambda shown: draw(model, given(shown)) * std + mean
                )
                filled = Fill(filled if fills else np.median(samples, axis=0), samples)
        return {"": filled}, moments

    return run


def trained(make, cell, learn, minutes, seed, folder):
    """A model of PyPOTS after as many epochs as the minutes allow, and when it began and ended."""
    import torch

    torch.manual_seed(seed)
    np.random.seed(seed)  # CSDI hides entries with it
    rng = np.random.default_rng(seed)
    train = windows(learn[: cell.train_rows], cell.window, max(cell.window // 4, 1))
    val = windows(learn[cell.train_rows :], cell.window, cell.window)
    # The validation part is known as far as it is shown: a tenth of that is hidden again.
    again = np.where(rng.random(val.shape) < 0.1, np.nan, val)
    sets = {"X": train}, {"X": again, "X_ori": val}
    sizes = cell.window, cell.learn.shape[1]
    seconds = []
    for epochs in (1, 2):  # the first one warms up
        began = time.process_time()  # other programs beside it do not count
        make(*sizes, epochs, folder).fit(*sets)
        seconds.append((time.process_time() - began) / torch.get_num_threads())
    each = max(seconds[1] - seconds[0], seconds[1] / 4)
    torch.manual_seed(seed)
    model = make(*sizes, max(int(60 * minutes / each), 1), folder)
    began = time.monotonic()
    model.fit(*sets)
    return model, (began, time.monotonic())


def windows(values, length, stride):
    """(N, length, D) float32."""
    return values[rows_of_windows(len(values), length, stride)].astype(np.float32)


def common(epochs, folder):
    """What all of them are given."""
    stop = dict(epochs=epochs, patience=min(10, epochs), batch_size=32)
    return dict(**stop, saving_path=folder, verbose=False)


def saits(steps, dim, epochs, folder):
    from pypots.imputation import SAITS

    sizes = dict(n_layers=2, d_model=256, n_heads=4, d_k=64, d_v=64, d_ffn=128, dropout=0.1)
    return SAITS(steps, dim, **sizes, **common(epochs, folder))


def brits(steps, dim, epochs, folder):
    from pypots.imputation import BRITS

    return BRITS(steps, dim, 128, **common(epochs, folder))


def imputeformer(steps, dim, epochs, folder):
    from pypots.imputation import ImputeFormer

    sizes = dict(n_layers=3, d_input_embed=32, d_learnable_embed=64, d_proj=8, d_ffn=128)
    sizes |= dict(n_temporal_heads=4)
    return ImputeFormer(steps, dim, **sizes, **common(epochs, folder))


def gpvae(steps, dim, epochs, folder):
    from pypots.imputation import GPVAE

    sizes = dict(latent_size=35, encoder_sizes=(128, 128), decoder_sizes=(256, 256), window_size=24)
    return GPVAE(steps, dim, **sizes, **common(epochs, folder))


def from_gpvae(model, given):
    """50 draws of the latents, and of the values that they stand for.

    Its `impute` decodes the mean of the latents: all its samples are the same.
    """
    import torch

    net = model.model.eval().backbone
    with torch.no_grad():
        latent = net.encode(torch.from_numpy(np.nan_to_num(given)))
        return np.stack([net.decode(latent.sample()).sample().numpy() for _ in range(50)])


def csdi(steps, dim, epochs, folder):
    """Half the layers and a quarter of the channels of the published one: for one core."""
    from pypots.imputation import CSDI

    sizes = dict(n_layers=2, n_heads=2, n_channels=16, d_time_embedding=64)
    sizes |= dict(d_feature_embedding=16, d_diffusion_embedding=64)
    return CSDI(steps, dim, **sizes, **common(epochs, folder))


def from_csdi(model, given):
    """19 samples: the fewest between whose ends nine tenths lie."""
    return np.moveaxis(model.impute({"X": given}, n_sampling_times=19), 1, 0)


METHODS = {
    "line": line,
    "knn": knn,
    "iterative": iterative,
    "imputer": imputer,
    "saits": pypots(saits),
    "brits": pypots(brits),
    "imputeformer": pypots(imputeformer),
    "gpvae": pypots(gpvae, from_gpvae),
    "csdi": pypots(csdi, from_csdi, fills=False),
}
LEARNING = ("imputer", "saits", "brits", "imputeformer", "gpvae", "csdi")
