"""Traffic: PEMS-SF (UCI archive, data set 204), or a simulation of it where it cannot be had.

Occupancy rates in [0, 1] of 963 freeway sensors in the San Francisco bay area. A sequence is a
day: 144 steps of 10 minutes. The files PEMS_train (267 days) and PEMS_test (173) hold a day a line,
as a Matlab matrix `[a b c;d e f;...]` with a row for each sensor. The days are shuffled.
"""

import contextlib
import gzip
import hashlib
import logging
import os
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pooch
import requests

from naomi_jax.atomic import atomic_write
from naomi_jax.data import drawing, files, metrics, registry
from naomi_jax.data.dataset import Dataset, hold_out
from naomi_jax.data.simulation import traffic as traffic_simulation
from naomi_jax.errors import InputError
from naomi_jax.tables.files import reading

URL = "https://archive.ics.uci.edu/static/public/204/pems+sf.zip"
DAYS = {"PEMS_train": 267, "PEMS_test": 173}
SENSORS, STEPS = 963, 144

_ARCHIVE = "pems+sf.zip"
_SECONDS_TO_DECIDE = 12
_HELD_OUT = 0.1
_CHUNK = 1 << 20
_DAMAGE = zipfile.BadZipFile, EOFError, zlib.error, gzip.BadGzipFile, struct.error
_REMEDY = "get a fresh copy of pems+sf.zip (UCI archive, data set 204) and give it with --data"


class _Unreadable(InputError):
    """The file could not be read at all, which says nothing about what is in it."""


def load(
    path: str | os.PathLike | None = None,
    *,
    seed: int = 0,
    cache_dir: str | os.PathLike | None = None,
    log: Callable[[str], None] = lambda line: None,
    progress: bool = False,
) -> Dataset:
    """PEMS-SF from a local copy, from the download cache, from the archive, or simulated.

    Args:
      path: the zip, or a folder with PEMS_train and PEMS_test, plain or .gz; None downloads. Files
        with other numbers of days, sensors and steps are read too, and described as such.
      seed: of the simulation; real data do not depend on it.
      cache_dir: where downloads and parsed arrays are kept; the user's cache by default.
      log: receives plain lines.
      progress: show a bar for the download.

    Returns:
      A tenth of the training days is held out for validation. Without a path, a cached download and
      a network (decided within 12 seconds): the simulation, which `source` and a logged line say.

    Raises:
      InputError: the files are damaged; the message names the file, the line and the remedy.
    """
    cache_dir = os.fspath(cache_dir or pooch.os_cache("naomi_jax"))
    if path is None:
        path = os.path.join(cache_dir, _ARCHIVE)
        if not os.path.exists(path):
            reason = _download(cache_dir, log, progress)
            if reason is not None:
                log(
                    f"PEMS-SF cannot be downloaded ({reason}): this run uses SIMULATED traffic, "
                    "not PEMS-SF. For real data give a copy: --data pems+sf.zip"
                )
                return traffic_simulation.load(seed=seed)
        train, test = _parse_download(path, cache_dir, log)
    else:
        train, test = _parse_cached(os.fspath(path), cache_dir, log)
    if _is_complete(train, test):
        source = "PEMS-SF (UCI archive)"
    else:
        source = (
            f"{os.path.basename(os.path.normpath(path))}, in PEMS-SF's format but not PEMS-SF: "
            f"{len(train)} + {len(test)} days of {train.shape[1]} steps x {train.shape[2]} sensors"
        )
    train, val = hold_out(train, _HELD_OUT, seed=0)
    return Dataset("traffic", source, False, train, val, test)


def _is_complete(train, test):
    """Whether two splits (N, T, D) have the sizes of PEMS-SF."""
    day = (STEPS, SENSORS)
    return (train.shape, test.shape) == tuple((count, *day) for count in DAYS.values())


# Download.


def _download(cache_dir, log, progress):
    """Fetch the archive into cache_dir; returns None, or the reason why not."""
    reason = _unreachable()
    if reason is not None:
        return reason
    log(f"Downloading PEMS-SF from the UCI archive into {cache_dir}")
    downloader: Any = pooch.HTTPDownloader(progressbar=progress, chunk_size=_CHUNK, timeout=30)
    try:
        with _quiet(pooch.get_logger()):
            # pooch writes to a temporary name: a half-written download never looks complete.
            pooch.retrieve(
                URL,
                known_hash=None,  # the archive publishes none; reading checks each member's CRC-32
                fname=_ARCHIVE,
                path=cache_dir,
                downloader=downloader,
            )
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off during the download"
    except (OSError, ValueError) as error:  # requests' other errors are OSErrors
        return _first_line(error)
    return None


@contextlib.contextmanager
def _quiet(logger):
    """Without pooch's own lines on stderr, which tell a user to copy a hash."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _unreachable():
    """None if the archive answers within _SECONDS_TO_DECIDE, else why not.

    In a thread, because looking up a host's name can hang for longer than any timeout given.
    """
    answers = []

    def ask():
        try:
            answer = requests.head(URL, timeout=_SECONDS_TO_DECIDE / 2, allow_redirects=True)
            # 405, 501: the server is there, and only HEAD is refused.
            there = answer.ok or answer.status_code in (405, 501)
            answers.append(None if there else f"the server answered {answer.status_code}")
        except (OSError, ValueError) as error:  # requests' are OSErrors; ValueError: a bad proxy
            answers.append(f"no connection: {type(error).__name__}")

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_SECONDS_TO_DECIDE)
    return answers[0] if answers else f"no answer within {_SECONDS_TO_DECIDE} seconds"


def _parse_download(path, cache_dir, log):
    """(train, test) of the downloaded archive, which is deleted if damaged or not PEMS-SF."""
    try:
        train, test = _parse_cached(path, cache_dir, log)
        if not _is_complete(train, test):
            raise InputError(f"{path}: {train.shape} and {test.shape} are not the sizes of PEMS-SF")
    except _Unreadable:
        raise
    except InputError as error:
        try:
            os.remove(path)
            then = "has been deleted"
        except OSError:
            then = "must be deleted"
        raise InputError(
            f"the downloaded archive was damaged and {then} ({error}); run the same command again "
            "to download it afresh"
        ) from error
    return train, test


# Parsing.


def _parse_cached(path, cache_dir, log):
    """(train, test), parsed or from an earlier parse of the same files."""
    members = _members(path)
    # One cache file for a path, so that copies which have changed leave nothing behind.
    cached = os.path.join(cache_dir, f"pems-{_digest(os.path.realpath(path))}.npz")
    key = _fingerprint(members)
    arrays = _read_cache(cached, key)
    if arrays is not None:
        return arrays
    train, test = (_parse(file, kind, name) for name, (file, kind) in members.items())
    if train.shape[1:] != test.shape[1:]:
        raise InputError(
            f"{path}: PEMS_train has days of {train.shape[1:]}, PEMS_test of {test.shape[1:]} "
            f"(steps, sensors); {_REMEDY}"
        )
    try:
        os.makedirs(cache_dir, exist_ok=True)
        with atomic_write(cached, mode="wb") as stream:
            np.savez(stream, key=key, train=train, test=test)
    except (OSError, InputError) as error:
        reason = _first_line(error)
        log(f"The parsed data could not be cached in {cache_dir} ({reason}); going on")
    return train, test


def _read_cache(cached, key):
    """(train, test) of the cache file if it was made from `key`; None if not, or if damaged."""
    try:
        with open(cached, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            return (file["train"], file["test"]) if file["key"] == key else None
    except (OSError, *_DAMAGE, ValueError, KeyError, TypeError, RuntimeError, MemoryError):
        return None


def _members(path):
    """name -> (file, its kind) of PEMS_train and PEMS_test; the kind is "zip", ".gz" or ""."""
    if not os.path.exists(path):
        raise InputError(f"{path}: no such file or folder; {_REMEDY}")
    if not os.path.isdir(path):
        return dict.fromkeys(DAYS, (path, "zip"))
    members = {}
    for name in DAYS:
        for kind in ("", ".gz"):
            file = os.path.join(path, name + kind)
            if os.path.exists(file):
                members[name] = file, kind
                break
        else:
            raise InputError(f"{path}: neither {name} nor {name}.gz is in this folder")
    return members


def _fingerprint(members):
    """Changes whenever the files do."""
    files = []
    for file, kind in members.values():
        status = os.stat(file)
        files.append((os.path.realpath(file), kind, status.st_size, status.st_mtime_ns))
    return _digest(repr(files))


def _digest(text):
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:16]


@contextlib.contextmanager
def _open(file, kind, name):
    if kind == "zip":
        with zipfile.ZipFile(file) as archive:
            matching = [m for m in archive.namelist() if os.path.basename(m) == name]
            if not matching:
                raise InputError(f"{file}: no member {name} in this archive; {_REMEDY}")
            with archive.open(matching[0]) as stream:
                yield stream
    elif kind == ".gz":
        with gzip.open(file) as stream:
            yield stream
    else:
        with open(file, "rb") as stream:
            yield stream


@contextlib.contextmanager
def _reading(file, kind, name):
    """Turn what containers raise into InputError."""
    try:
        yield
    except _DAMAGE as error:
        what = _container_damage(file) if kind == "zip" else None
        what = what or f"{name} is cut off or damaged"
        raise InputError(f"{file}: {what} ({_first_line(error)}); {_REMEDY}") from None
    except RuntimeError as error:  # encrypted, or a compression that zipfile does not know
        raise InputError(f"{file}: {name}: {_first_line(error)}; {_REMEDY}") from None
    except OSError as error:
        raise _Unreadable(
            f"{file}: cannot be read ({error.strerror or _first_line(error)}); make it readable"
        ) from None


def _container_damage(file):
    """What is wrong with a zip as a whole; None if its table of contents is sound."""
    if zipfile.is_zipfile(file):
        return None
    with open(file, "rb") as stream:
        start = stream.read(4)
    if not start:
        return "an empty file"
    # A zip's table of contents is at its end, and is what a broken-off copy lacks.
    return "a zip archive that is cut off" if start == b"PK\x03\x04" else "not a zip archive"


def _parse(file, kind, name) -> np.ndarray:
    """(days, steps, sensors) float32, a line at a time: the text is never held whole."""
    with _reading(file, kind, name), _open(file, kind, name) as stream:
        try:
            days = _parse_days(stream, f"{file}: {name}")
        except InputError:
            if kind:  # a wrong checksum explains a wrong line better: it is found at the end
                while stream.read(_CHUNK):
                    pass
            raise
    result = np.empty((len(days), *days[0].shape), np.float32)
    for i in range(len(days)):  # freeing each day as it is copied
        result[i], days[i] = days[i], None
    return result


def _parse_days(stream, where):
    """A list of days, (steps, sensors) each."""
    days = []
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        day = _parse_day(line, f"{where}, line {number}")
        if days and day.shape != days[0].shape:
            raise InputError(
                f"{where}, line {number}: {day.shape[1]} sensors x {day.shape[0]} steps, but the "
                f"first day has {days[0].shape[1]} x {days[0].shape[0]}; {_REMEDY}"
            )
        days.append(day)
    if not days:
        raise InputError(f"{where} is empty; {_REMEDY}")
    return days


def _parse_day(line: bytes, where: str) -> np.ndarray:
    """One matrix `[a b;c d]`, a row for each sensor: (steps, sensors)."""
    line = line.strip()
    if not line.startswith(b"["):
        raise InputError(f"{where}: does not begin with '['; {_REMEDY}")
    if not line.endswith(b"]"):
        raise InputError(f"{where}: does not end with ']', it seems to be cut off; {_REMEDY}")
    rows = line[1:-1].split(b";")
    widths = [len(row.split()) for row in rows]
    for sensor, width in enumerate(widths, 1):
        if width != widths[0]:
            raise InputError(
                f"{where}: its sensors have different numbers of steps, sensor 1 {widths[0]} and "
                f"sensor {sensor} {width}; {_REMEDY}"
            )
    try:
        # Of the ways to read this in numpy this is the fastest, and unlike fromstring it is strict.
        values = np.array(line[1:-1].replace(b";", b" ").split(), dtype=np.float32)
    except ValueError as error:
        raise InputError(f"{where}: {_first_line(error)}; {_REMEDY}") from None
    if values.size == 0:
        raise InputError(f"{where}: an empty matrix; {_REMEDY}")
    if np.isnan(values).any():
        raise InputError(f"{where}: a value is NaN; {_REMEDY}")
    if values.min() < 0 or values.max() > 1:
        raise InputError(f"{where}: values outside [0, 1], which are no occupancy rates; {_REMEDY}")
    return values.reshape(len(rows), -1).T


def _first_line(error):
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__


# The data set.


def _load(request: registry.Request) -> Dataset:
    """PEMS-SF, or the user's own arrays."""
    if request.path is None or _is_pems(request.path):
        return load(request.path, log=request.log, progress=request.progress)
    return files.load(request.path, window=request.window, stride=request.stride, log=request.log)


def _is_pems(path):
    """A PEMS-SF archive: a zip that is no .npz, or a folder with PEMS_ files or without arrays."""
    if os.path.isdir(path):
        return not os.path.exists(os.path.join(path, "train.npz"))
    return not path.lower().endswith(reading.EXTENSIONS)


_HOURS = np.arange(0, 25, 4)

TRAFFIC = registry.register(
    registry.DatasetKind(
        name="traffic",
        load=_load,
        metrics=(metrics.Metric("L2 [1e-4]", 1e4, metrics.missing_l2),),
        table=1,
        paper={
            "linear": (15.59,),
            "knn": (4.58,),
            "grui": (15.24,),
            "maskgan": (6.02,),
            "single_res": (4.51,),
            "naomi": (3.54,),
        },
        drawing=drawing.Series(
            label=lambda column, dim: f"sensor {column + 1}\n[occupancy, 0-1]",
            time=drawing.TimeAxis(
                "time of day", (_HOURS * STEPS / 24, [f"{hour:02d}:00" for hour in _HOURS])
            ),
        ),
    )
)
