"""Game logs made here, with trajectories that are known."""

import gzip
import json
import os
import re

import numpy as np
import pytest

from naomi_jax.data import basketball, sportvu
from naomi_jax.errors import InputError

HOME, AWAY = 1610612739, 1610612744
MOMENTS = 4 * 50  # of a play, at 25 Hz


def court(count, seed=0):
    """Places (count, 11, 2) feet in the left half: ball, home, away; home has the ball."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(5, 42, (11, 2))
    wave = np.sin(np.arange(count)[:, None, None] / 40 + rng.uniform(0, 6, (11, 2)))
    place = np.round(start + 3 * wave, 5)
    place[:, 0] = place[:, 1] + 1  # beside home's first player
    place[:, 6:, 1] = np.minimum(place[:, 6:, 1], 45)
    far = np.linalg.norm(place[:, 6:] - place[:, :1], axis=-1).min(1)
    assert (far > 1.5).all(), "the defense must not be nearer to the ball in this test"
    return place


def turn(place):
    return np.array([94.0, 50.0]) - place


def moments(place, quarter=1, begin=0, ids=range(10), clock=700.0, shuffle=False):
    """Moments of places (n, 11, 2), 40 ms apart, from moment number `begin` on."""
    found = []
    for number, row in enumerate(place, begin):
        teams = [HOME] * 5 + [AWAY] * 5
        rows = [[team, 100 + i, *xy, 0.0] for team, i, xy in zip(teams, ids, row[1:].tolist())]
        rows = rows[::-1] if shuffle else rows
        left = clock if clock is None else clock - 0.04 * number
        ball = [-1, -1, *row[0].tolist(), 4.2]
        found.append([quarter, 1451351428000 + 40 * number, left, None, None, [ball, *rows]])
    return found


def write(path, *events):
    game = {
        "gameid": "0021500001",
        "gamedate": "2016-01-01",
        "events": [
            {"eventId": str(i), "visitor": {"teamid": AWAY}, "home": {"teamid": HOME}, "moments": m}
            for i, m in enumerate(events)
        ],
    }
    text = json.dumps(game).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return str(path)


def stats(place):
    """What the plays of one segment in the left half must come out as."""
    steps = place[::4]
    return steps[: len(steps) // 50 * 50].reshape(-1, 50, 22)


@pytest.mark.parametrize("name", ["game.json", "game.json.gz"])
def test_a_known_segment_is_recovered(tmp_path, name):
    place = court(2 * MOMENTS + 60)
    plays = sportvu.convert([write(tmp_path / name, moments(place, shuffle=True))])
    assert plays.shape == (2, 50, 22) and plays.dtype == np.float32
    np.testing.assert_allclose(plays, stats(place), atol=1e-5)


def test_overlapping_events_count_once_in_any_order(tmp_path):
    place = court(2 * MOMENTS)
    all_of_it = moments(place)
    game = write(tmp_path / "game.json", all_of_it[150:], [], all_of_it[:250], all_of_it[100:300])
    np.testing.assert_allclose(sportvu.convert([game]), stats(place), atol=1e-5)


def test_the_right_half_is_rotated_and_its_offense_is_the_other_team(tmp_path):
    left, right = court(MOMENTS), court(MOMENTS, seed=1)
    # At the right end away has the ball; in between, a moment is missing.
    swapped = turn(right)[:, [0, *range(6, 11), *range(1, 6)]]
    game = write(tmp_path / "game.json", moments(left), moments(swapped, begin=MOMENTS + 1))
    expected = np.concatenate([stats(left), stats(right)])
    np.testing.assert_allclose(sportvu.convert([game]), expected, atol=1e-5)


def test_the_offense_holds_for_a_whole_quarter(tmp_path):
    """A play in which the defense is near the ball is not taken for one of the other team."""
    place = court(3 * MOMENTS)
    place[MOMENTS : 2 * MOMENTS, 0] = place[MOMENTS : 2 * MOMENTS, 6] + 0.1
    plays = sportvu.convert([write(tmp_path / "game.json", moments(place))])
    np.testing.assert_allclose(plays, stats(place), atol=1e-5)
    # In the next quarter the sides have changed.
    other = turn(place)
    later = moments(other, quarter=2, begin=len(place))
    plays = sportvu.convert([write(tmp_path / "game.json", moments(place), later)])
    np.testing.assert_allclose(plays[3:], stats(place), atol=1e-5)


def drop(place):
    found = moments(place)
    return found[:120] + found[122:]


def substitute(place):
    ids = [*range(4), 40, *range(5, 10)]
    return moments(place[:120]) + moments(place[120:], begin=120, ids=ids)


def ten_rows(place):
    found = moments(place)
    found[120][5].pop()
    return found


def stop_clock(place):
    found = moments(place)
    for moment in found[120:128]:
        moment[2] = found[120][2]
    return found


def full_court(place):
    place = place.copy()
    place[120:130, 3, 0] = 60
    return moments(place)


def broken_number(place):
    found = moments(place)
    found[120][5][3][2] = None
    return found


def next_quarter(place):
    return moments(place[:120]) + moments(place[120:], quarter=2, begin=120)


@pytest.mark.parametrize(
    "damage",
    [drop, substitute, ten_rows, stop_clock, full_court, broken_number, next_quarter],
)
def test_no_play_runs_across(tmp_path, damage):
    """What comes before moment 120 is too short for a play; what follows is long enough for one."""
    place = court(120 + MOMENTS + 40)
    plays = sportvu.convert([write(tmp_path / "game.json", damage(place))])
    assert len(plays) == 1
    starts = [np.abs(place[i, 1:6].ravel() - plays[0, 0, 2:12]).max() for i in range(len(place))]
    assert min(starts) < 1e-5 and 120 <= np.argmin(starts) <= 140
    alone = sportvu.convert([write(tmp_path / "game.json", moments(place))])
    assert np.abs(alone[0, 0] - place[0].ravel()).max() < 1e-5, "the same game without the damage"


def test_an_unknown_clock_does_not_run(tmp_path):
    game = write(tmp_path / "game.json", moments(court(MOMENTS), clock=None))
    with pytest.raises(InputError, match="no play of 50 steps"):
        sportvu.convert([game])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[]", "no events"),
        (b"{}", "no events"),
        (b'{"events": []}', "no events"),
        (b'{"events": [{"moments": []}, 3, {}]}', "no moment with the ball and ten players"),
        (b'{"events": [{"moments": [7, [], [1, 2, 3, 4, 5, 6]]}]}', "no moment with the ball"),
    ],
)
def test_bad_files(tmp_path, content, message, capsys):
    bad, good = tmp_path / "bad.json", write(tmp_path / "good.json", moments(court(MOMENTS)))
    bad.write_bytes(content)
    with pytest.raises(InputError, match=f"^{re.escape(str(bad))}: {message}"):
        sportvu.convert([bad])
    assert sportvu.main([good, str(bad), "--out", str(tmp_path / "out"), "--test", "1"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"error: {bad}: {message}")
    assert not (tmp_path / "out").exists()


def test_files_that_cannot_be_opened(tmp_path):
    (tmp_path / "game.json.gz").write_bytes(b"{}")
    for name, message in {
        "none.json": "no such file",
        ".": "cannot be read",
        "game.json.gz": "cannot be read .*gzip",
    }.items():
        with pytest.raises(InputError, match=message):
            sportvu.convert([tmp_path / name])
    cut = gzip.compress(b'{"events": []}')[:-12]
    (tmp_path / "game.json.gz").write_bytes(cut)
    with pytest.raises(InputError, match="cannot be read"):
        sportvu.convert([tmp_path / "game.json.gz"])


def test_full_court_play_only(tmp_path):
    place = court(MOMENTS)
    place[:, 3, 0] = 60
    with pytest.raises(InputError, match="no play of 50 steps.*leave this game out"):
        sportvu.convert([write(tmp_path / "game.json", moments(place))])


def test_the_command_writes_what_the_loader_reads(tmp_path, capsys):
    places = [court(n * MOMENTS, seed=n) for n in (1, 2, 3)]
    games = [write(tmp_path / f"{i}.json", moments(p)) for i, p in enumerate(places)]
    out = tmp_path / "new" / "folder"
    assert sportvu.main([*games, "--out", str(out), "--test", "1"]) == 0
    assert sorted(os.listdir(out)) == ["test.npz", "train.npz"]
    assert "train.npz: 3 plays" in capsys.readouterr().out
    data = basketball.load(out)
    assert (len(data.train), len(data.val), len(data.test)) == (2, 1, 3)
    expected = stats(places[2])[..., 2:12]
    np.testing.assert_allclose(basketball.to_feet(data.test), expected, atol=1e-4)


def test_bad_arguments(tmp_path, capsys):
    games = [write(tmp_path / f"{i}.json", moments(court(MOMENTS, seed=i))) for i in range(2)]
    out = ["--out", str(tmp_path / "out")]
    taken = tmp_path / "taken"
    taken.write_text("a file")
    for arguments, message in [
        ([*games, *out, "--test", "0"], "--test 0 of 2 game"),
        ([*games, *out, "--test", "2"], "--test 2 of 2 game"),
        ([games[0], games[0], *out, "--test", "1"], "given twice"),
        ([*games, "--out", str(taken), "--test", "1"], "cannot be made"),
    ]:
        assert sportvu.main(arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ") and message in error and error.count("\n") == 1
    assert taken.read_text() == "a file"
