"""Converts public SportVU game logs (JSON) to the layout that `naomi_jax.data.basketball` reads.

    python -m naomi_jax.data.sportvu GAME.json [GAME.json ...] --out FOLDER --test N

A log holds {"events": [{"moments": [MOMENT, ...]}, ...]}, a MOMENT at 25 Hz being [quarter, unix
time in ms, game clock, shot clock, null, [[team, player, x, y, z], ...]] in feet; the ball is the
row of team -1. From it:

  1. Events overlap, so a moment with the same quarter and time stamp as another is dropped, and so
     is one without exactly a ball and five players of each of two teams.
  2. Moments are cut into segments: no gap longer than 60 ms, one quarter, the same ten players.
  3. Every 4th moment of a segment is kept: steps at 6.25 Hz.
  4. A segment is cut again where a player is in the other half than the rest (beyond the line at
     47 feet) and where the game clock stands still: dead balls and free throws are no plays.
  5. A team attacks one basket for a whole quarter. The offense of a half is the team that has the
     player nearest to the ball most often, over all steps of that quarter in either half: the
     defense of one half is the offense of the other.
  6. Plays of the right half are rotated by 180 degrees into the left.
  7. What remains is cut into windows of 50 steps that do not overlap.

Players are in the order of their ids within a team, so a column is the same person throughout a
segment, but not from game to game.
"""

import argparse
import dataclasses
import gzip
import itertools
import json
import os
import sys
import zlib

import numpy as np

from naomi_jax.atomic import atomic_write
from naomi_jax.data.basketball import COURT, PLAYERS, WIDTH, rotate
from naomi_jax.errors import InputError

_GAP = 60  # ms
_EVERY = 4
_LEFT, _RIGHT = 1, 2


@dataclasses.dataclass
class _Moments:
    """Moments of a game, in order.

    Attributes:
      quarter, time, clock: (n,); time in ms, clock in seconds.
      people: (n, 11) ids: the ball, then the players of one team and of the other.
      teams: (n, 2) ids.
      place: (n, 11, 2) feet.
    """

    quarter: np.ndarray
    time: np.ndarray
    clock: np.ndarray
    people: np.ndarray
    teams: np.ndarray
    place: np.ndarray


def convert(games: list[str | os.PathLike], steps: int = 50) -> np.ndarray:
    """Plays of some games.

    Args:
      games: .json or .json.gz files.
      steps: length of a play, in steps of 0.16 s.

    Returns:
      (N, steps, 22) float32 in feet: ball, offense, defense; games in the given order, and plays in
      the order of time.

    Raises:
      InputError: a file is not a game log, or has no play to keep.
    """
    return np.concatenate([_convert(os.fspath(game), steps) for game in games])


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status, 2 after an error."""
    parser = argparse.ArgumentParser(
        prog="python -m naomi_jax.data.sportvu",
        description="Convert SportVU game logs to train.npz and test.npz for --dataset basketball.",
    )
    parser.add_argument("games", nargs="+", metavar="GAME.json", help=".json or .json.gz")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="made if it is not there")
    parser.add_argument(
        "--test", required=True, type=int, metavar="N", help="the last N games are the test set"
    )
    arguments = parser.parse_args(argv)
    try:
        train, test = _split(arguments.games, arguments.test)
        plays = {"train": convert(train), "test": convert(test)}
        _write(arguments.out, plays)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for name, data in plays.items():
        print(f"{os.path.join(arguments.out, name)}.npz: {len(data)} plays")
    return 0


def _split(games, count):
    """(train, test) by game, so that no play of a game is in both."""
    if not 1 <= count < len(games):
        raise InputError(
            f"--test {count} of {len(games)} game(s): at least one game must be left for each of "
            "train and test"
        )
    real = [os.path.realpath(game) for game in games]
    for number, game in enumerate(real):
        if game in real[:number]:
            raise InputError(f"{games[number]}: given twice; give each game once")
    return games[:-count], games[-count:]


def _write(folder, plays):
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be made ({error.strerror})") from None
    for name, data in plays.items():
        with atomic_write(os.path.join(folder, f"{name}.npz"), mode="wb") as file:
            np.savez_compressed(file, data=data)


# Reading.


def _convert(game, steps):
    moments = _collect(_events(game), game)
    plays = _windows(moments, _segments(moments), steps)
    if not plays:
        raise InputError(
            f"{game}: no play of {steps} steps with all players in one half; leave this game out"
        )
    return np.stack(plays).astype(np.float32)


def _events(game):
    try:
        with (gzip.open if game.endswith(".gz") else open)(game, "rb") as file:
            log = json.load(file)
    except FileNotFoundError:
        raise InputError(f"{game}: no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{game}: cannot be read ({reason}); get a fresh copy") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{game}: not JSON ({error}); a SportVU game log is needed") from None
    events = log.get("events") if isinstance(log, dict) else None
    if not isinstance(events, list) or not events:
        raise InputError(f"{game}: no events in it; a SportVU game log is needed")
    return events


def _collect(events, game) -> _Moments:
    """Complete moments, each once, in the order of time."""
    found = {}
    for event in events:
        for moment in (event.get("moments") if isinstance(event, dict) else None) or ():
            parsed = _parse(moment)
            if parsed is not None:
                found.setdefault(parsed[:2], parsed)
    if not found:
        raise InputError(f"{game}: no moment with the ball and ten players; leave this game out")
    ordered = [found[key] for key in sorted(found)]
    return _Moments(*(np.array(column) for column in zip(*ordered)))


def _parse(moment):
    """The fields of _Moments for one moment; None unless it is complete."""
    try:
        quarter, time, clock, _, _, rows = moment[:6]
        ball = [row for row in rows if row[0] == -1]
        players = sorted(row[:4] for row in rows if row[0] != -1)
        teams = sorted({row[0] for row in players})
        counts = [sum(row[0] == team for row in players) for team in teams]
        if len(ball) != 1 or counts != [PLAYERS, PLAYERS]:
            return None
        rows = [ball[0], *players]
        place = np.array([row[2:4] for row in rows], np.float64)
        people = [int(row[1]) for row in rows]
        clock = np.nan if clock is None else float(clock)
        if place.shape != (WIDTH // 2, 2) or not np.isfinite(place).all():
            return None
        return int(quarter), int(time), clock, people, teams, place
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        return None


# Cutting.


def _segments(m: _Moments) -> list[np.ndarray]:
    """Indices of moments at 6.25 Hz, a segment each."""
    cut = (
        (np.diff(m.time) > _GAP)
        | (np.diff(m.quarter) != 0)
        | (np.diff(m.people, axis=0) != 0).any(axis=1)
        | (np.diff(m.teams, axis=0) != 0).any(axis=1)
    )
    return [s[::_EVERY] for s in np.split(np.arange(len(m.time)), np.flatnonzero(cut) + 1)]


def _windows(m, segments, steps):
    """Plays (steps, 22) in feet, in the left half, the offense before the defense."""
    half = _half(m.place[:, 1:, 0])
    attacks_left = _attackers(m, half, np.concatenate(segments))
    plays = []
    for segment in segments:
        for run in _runs(half[segment], m.clock[segment]):
            for start in range(run.start, run.stop - steps + 1, steps):
                index = segment[start : start + steps]
                left = half[index[0]] == _LEFT
                first = attacks_left[m.quarter[index[0]]] == left
                plays.append(_play(m.place[index], left, first))
    return plays


def _half(x):
    """(n,) _LEFT or _RIGHT where all players, x (n, 10) feet, are in that half, else 0."""
    middle = COURT[0] / 2
    return np.where((x <= middle).all(1), _LEFT, np.where((x >= middle).all(1), _RIGHT, 0))


def _attackers(m, half, steps):
    """quarter -> whether the first team attacks the left basket in it."""
    distance = np.linalg.norm(m.place[steps, 1:] - m.place[steps, :1], axis=-1)
    nearest = distance.reshape(-1, 2, PLAYERS).min(axis=2)
    vote = np.sign(nearest[:, 1] - nearest[:, 0])  # 1 where the first team is nearer
    vote *= np.select([half[steps] == _LEFT, half[steps] == _RIGHT], [1, -1], 0)
    quarter = m.quarter[steps]
    return {q: vote[quarter == q].sum() > 0 for q in np.unique(quarter)}


def _runs(half, clock):
    """Slices of a segment that stay in one half while the game clock runs."""
    with np.errstate(invalid="ignore"):
        runs = np.diff(clock) < 0  # also false for a clock that is not known
    cut = np.flatnonzero(~runs | (np.diff(half) != 0)) + 1
    edges = [0, *cut, len(half)]
    return [slice(a, b) for a, b in itertools.pairwise(edges) if half[a]]


def _play(place, left, first):
    """(steps, 22) of the places (steps, 11, 2); `first`: the first team is on offense."""
    one, other = place[:, 1 : 1 + PLAYERS], place[:, 1 + PLAYERS :]
    teams = (one, other) if first else (other, one)
    play = np.concatenate([place[:, :1], *teams], axis=1).reshape(len(place), WIDTH)
    return play if left else rotate(play)


if __name__ == "__main__":
    sys.exit(main())
