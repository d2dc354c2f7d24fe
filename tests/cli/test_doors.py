"""train.py and eval.py: which words of naomi-jax theirs are."""

import pytest

from naomi_jax.cli import doors
from naomi_jax.errors import InputError

TRAINING = [
    ("--dataset traffic", "train --dataset traffic"),
    ("--data x.csv --seed=1", "train --data x.csv --seed=1"),
    ("--data x.csv --fill y.csv", "fill x.csv y.csv"),
    ("--seed 1 --fill=y.csv --flag --data=x.csv", "fill x.csv y.csv --seed 1 --flag"),
    ("--fill -y.csv --data -x.csv", "fill ./-x.csv ./-y.csv"),
    ("--fill y.csv --data x.csv more", "fill x.csv y.csv more"),
    ("--fill --help", "fill --help"),
    ("--help", "train --help"),
]
EVALUATION = [
    ("runs/a", "eval runs/a"),
    ("runs/a --samples 5 --forecast", "eval runs/a --samples 5 --forecast"),
    ("runs/a --impute x.csv --out y.csv", "impute runs/a x.csv y.csv"),
    ("--impute x.csv --max-gap 3 runs/a --out=-y.csv", "impute --max-gap 3 runs/a x.csv ./-y.csv"),
    ("--table 3", "table 3"),
    ("runs/a runs/b --table=1", "table 1 runs/a runs/b"),
    ("runs/a --figure x.png", "figure runs/a x.png"),
    ("runs/a runs/b --report x.html", "page runs/a runs/b x.html"),
    ("runs/a --report x.html --data t.csv", "page runs/a --data t.csv x.html"),
    ("-- -a --impute", "eval -- -a --impute"),
    ("--impute --help", "impute --help"),
    ("-h --report", "page --help"),
]


@pytest.mark.parametrize("words,expected", TRAINING)
def test_train(words, expected):
    assert doors.training(words.split()) == expected.split()


@pytest.mark.parametrize("words,expected", EVALUATION)
def test_eval(words, expected):
    assert doors.evaluation(words.split()) == expected.split()


@pytest.mark.parametrize(
    "door,words,message",
    [
        (doors.training, "--fill x.csv", "--fill needs --data TABLE"),
        (doors.training, "--data x.csv --fill=", "--fill: name the file to write"),
        (doors.training, "--data x.csv --fill", "--fill: expected one argument"),
        (doors.evaluation, "runs/a --impute x.csv", "--impute needs --out FILE"),
        (doors.evaluation, "runs/a --table 1 --figure x.png", "are two jobs"),
        (doors.evaluation, "runs/a --report", "--report: expected one argument"),
    ],
)
def test_half_of_a_job_or_two(door, words, message):
    with pytest.raises(InputError, match=message):
        door(words.split())


def test_help_of_eval_lists_its_jobs(capsys):
    with pytest.raises(SystemExit) as end:
        doors.evaluation(["--help"])
    said = capsys.readouterr().out
    assert end.value.code is None
    for word in ("--impute", "--table", "--figure", "--report", "--samples", "--forecast"):
        assert word in said
