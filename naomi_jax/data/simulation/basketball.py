"""Simulated basketball offenses, for when tracking data cannot be had. Not player tracking.

2000 plays with seed 0, in units of `basketball.normalize`, beside real tracking, 730 and 279 plays
of SportVU 2015-16, by which the constants were chosen:

                                          simulated   real: train    test
    path length                               0.599         0.577   0.601
    path difference                           0.611         0.611   0.576
    step change (1e-3)                        1.787         1.771   1.857
    player distance                           0.423         0.429   0.423
    out of bounds (1e-3)                      0.187         0.123   0.179
    linear interpolation, error (1e-2)         6.20          5.90    5.97
    speed, median (feet per second)             3.6           4.0     4.3
    speed, 90 % and 99 %                  9.4, 15.1    10.5, 15.1   10.5, 15.3

Path length is a player's, over the play; path difference that of the longest and the shortest of a
play; step change the mean |difference| of successive step lengths; distance the mean over pairs;
out of bounds the share of coordinates beyond +-0.51; the error of linear interpolation the mean
distance to the truth where 40 to 49 of the 50 steps are missing. What the simulation lacks: a ball
and a defense, so nobody reacts to a pass or a screen, and teams do not shift together.
"""

import numpy as np

SOURCE = "SIMULATED basketball (built in), not player tracking"
LENGTH, WIDTH = 47.0, 50.0  # feet, the left half court; the attacked hoop is at HOOP
HOOP = 5.25, 25.0

_SECONDS = 0.16  # from step to step
_WARM_UP = 25  # steps before the first that is returned: nobody starts at rest
_GUARDS = 3  # players 0 to 2 keep to the outer spots, 3 and 4 to the inner ones
# Spots of each kind: distance from the hoop in feet, and angle from the sideline's direction.
_OUTER = ((22.5, -84), (27, -56), (33, -26), (35, 0), (33, 26), (27, 56), (22.5, 84))
_INNER = ((8, -70), (8, 70), (21, -86), (21, 86), (25, -50), (25, 50))
_STAY = 4.0  # seconds from one cut to the next, on average
_SPREAD = 2.5  # feet, how far from its spot a player may stand
_PACE = 8.0, 0.5  # top speed of a cut: median in feet per second, and spread of its logarithm
_LIMIT = 18.0  # feet per second, for everyone
_EAGER = 1.2  # 1 / seconds: wanted speed over the distance that is left
_LAG = 0.55  # seconds until a wanted velocity is reached
_SWAY = 2.0, 0.6  # feet per second and seconds: aimless shuffling
_APART = 6.0, 1.5  # feet at which two players begin to avoid each other; 1 / seconds
_MARGIN = 1.0  # feet from the lines, where players turn back


def load(
    train: int = 2000, val: int = 200, test: int = 500, steps: int = 50, seed: int = 0
) -> tuple:
    """(train, val, test), (N, steps, 10) float32 in feet each; independent draws."""
    seeds = np.random.SeedSequence(seed).spawn(3)
    return tuple(simulate(n, steps, s) for n, s in zip((train, val, test), seeds))


def simulate(count: int, steps: int, seed) -> np.ndarray:
    """Independent plays, (count, steps, 10) float32: x0, y0, .. x4, y4 in feet at 6.25 Hz.

    Each player goes to a spot, stays for a while, then cuts to a free one at a pace of its own: a
    spring-damper whose wanted speed is limited. On top of that everybody sways, and players who
    come close to each other or to a line give way. Guards have the spots outside, bigs those near
    the basket.

    Args:
      count: plays.
      steps: time steps, 0.16 s apart.
      seed: an integer or a numpy SeedSequence.
    """
    rng = np.random.default_rng(seed)
    plan = _Plan(rng, count)
    position = plan.target + rng.normal(0, 1.0, (count, 5, 2))
    velocity = np.zeros((count, 5, 2))
    sway = np.zeros((count, 5, 2))
    keep = np.exp(-_SECONDS / _SWAY[1])
    out = np.empty((count, steps, 5, 2), np.float32)
    for t in range(-_WARM_UP, steps):
        plan.advance()
        sway = keep * sway + np.sqrt(1 - keep**2) * _SWAY[0] * rng.normal(size=sway.shape)
        wanted = _limit(_EAGER * (plan.target - position), plan.pace) + sway
        wanted = _limit(_inward(position, wanted + _avoid(position)), _LIMIT)
        velocity = velocity + (wanted - velocity) * (_SECONDS / _LAG)
        position = position + velocity * _SECONDS
        if t >= 0:
            out[:, t] = position
    return out.reshape(count, steps, 10)


class _Plan:
    """Where every player of every play wants to be, and how fast it goes there.

    Attributes:
      target: (count, 5, 2) feet.
      pace: (count, 5, 1) feet per second.
    """

    def __init__(self, rng, count):
        self._rng = rng
        self._tempo = rng.lognormal(0, 0.2, (count, 1))  # some plays are livelier than others
        self._spots = [_polar(_OUTER), _polar(_INNER)]
        # A row is a permutation of the spots: the first ones are taken, the rest are free.
        self._order = [
            rng.permuted(np.tile(np.arange(len(s)), (count, 1)), axis=1) for s in self._spots
        ]
        self.target = np.empty((count, 5, 2))
        self.pace = np.empty((count, 5, 1))
        for player in range(5):
            self._send(np.arange(count), player)

    def advance(self):
        """Let some players cut."""
        go = self._rng.random((len(self.target), 5)) < self._tempo * _SECONDS / _STAY
        for player in range(5):
            self._send(np.flatnonzero(go[:, player]), player)

    def _send(self, plays, player):
        kind, slot = (0, player) if player < _GUARDS else (1, player - _GUARDS)
        taken = _GUARDS if kind == 0 else 5 - _GUARDS
        spots, order = self._spots[kind], self._order[kind]
        free = self._rng.integers(taken, len(spots), len(plays))
        order[plays, slot], order[plays, free] = order[plays, free], order[plays, slot]
        shift = self._rng.normal(0, _SPREAD, (len(plays), 2))
        self.target[plays, player] = spots[order[plays, slot]] + shift
        pace = _PACE[0] * self._rng.lognormal(0, _PACE[1], len(plays))
        self.pace[plays, player, 0] = pace


def _polar(spots):
    """(count, 2) feet of spots given as distance from the hoop and angle in degrees."""
    distance, angle = np.array(spots, float).T
    angle = np.deg2rad(angle)
    return np.stack([HOOP[0] + distance * np.cos(angle), HOOP[1] + distance * np.sin(angle)], -1)


def _limit(velocity, top):
    """Shorten velocities (..., 2) that are faster than `top`."""
    speed = np.linalg.norm(velocity, axis=-1, keepdims=True)
    return velocity * np.minimum(1, top / np.maximum(speed, 1e-9))


def _avoid(position):
    """(count, 5, 2) feet per second away from players that are too near."""
    apart = position[:, :, None] - position[:, None]
    distance = np.linalg.norm(apart, axis=-1, keepdims=True)
    push = np.maximum(_APART[0] - distance, 0) * _APART[1]
    return (apart / np.maximum(distance, 0.1) * push).sum(2)


def _inward(position, wanted):
    """Turn wanted velocities back at the lines of the half court."""
    low = (_MARGIN - position) / _LAG
    high = (np.array([LENGTH, WIDTH]) - _MARGIN - position) / _LAG
    return np.clip(wanted, low, high)
