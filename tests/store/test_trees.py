"""A record and its arrays are replaced together, whatever happens meanwhile."""

import multiprocessing
import os
import signal
import time

import numpy as np
import pytest

from naomi_jax import atomic
from naomi_jax.errors import InputError
from naomi_jax.store import trees


def tree(number):
    return {"values": {"all": np.full((50, 40), float(number)), "number": number}}


def number_in(folder):
    found = trees.read_tree(folder, "toy")
    values = found.tree["values"]
    assert (values["all"] == values["number"]).all() and found.record == {"n": values["number"]}
    return values["number"]


def write(folder, number):
    trees.write_tree(folder, "toy", tree(number), {"n": number})


def test_several_trees_share_a_folder(tmp_path):
    write(tmp_path, 1)
    trees.write_tree(tmp_path, "toy-b", {"x": [1]})
    (tmp_path / "toy-of-mine.npz").write_text("x")
    write(tmp_path, 2)
    assert number_in(tmp_path) == 2 and trees.read_tree(tmp_path, "toy-b").tree == {"x": [1]}
    assert len([*tmp_path.iterdir()]) == 5, "the arrays before are taken away, and no other file"
    trees.remove_tree(tmp_path, "toy")
    assert not trees.exists(tmp_path, "toy") and trees.exists(tmp_path, "toy-b")
    assert len([*tmp_path.iterdir()]) == 3
    trees.remove_tree(tmp_path / "nowhere", "toy")
    with pytest.raises(InputError, match=r"no toy in it \(no toy.json\)"):
        number_in(tmp_path)
    with pytest.raises(TypeError, match="arrays: the record has this key"):
        trees.write_tree(tmp_path, "toy", {"arrays": 1})


# A process that is killed.

# Before or after it, and before or after the removal of what is old.
CALLS = [(os, "replace"), (os, "remove"), (os, "makedirs"), (os, "listdir")]


def killed_at(folder, number, stop):
    """Write in a process that is killed before the call `stop` of CALLS; whether it was."""
    child = os.fork()
    if not child:
        calls = 0

        def counted(function):
            def call(*arguments, **options):
                nonlocal calls
                calls += 1
                if calls == stop:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*arguments, **options)

            return call

        for module, name in CALLS:
            setattr(module, name, counted(getattr(module, name)))
        atomic.open = counted(open)  # type: ignore[attr-defined]
        write(folder, number)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:.*fork:")
def test_whoever_is_killed_leaves_the_one_or_the_other(tmp_path):
    found = []
    for stop in range(1, 30):
        folder = tmp_path / str(stop)
        write(folder, 1)
        killed = killed_at(folder, 2, stop)
        found.append(number_in(folder))
        write(folder, 3)
        assert number_in(folder) == 3
        kept = [path for path in folder.iterdir() if path.suffix != ".tmp"]
        assert len(kept) == 2, "the next one takes away what was left"
        if not killed:
            break
    assert not killed and len(found) > 6
    assert found == sorted(found) and {*found} == {1, 2}


# A reader beside a writer.


def write_often(folder, stop):
    number = 0
    while not stop.is_set():
        number += 1
        write(folder, number)


def test_a_reader_beside_two_writers_is_never_refused(tmp_path):
    write(tmp_path, 0)
    spawn = multiprocessing.get_context("spawn")
    stop = spawn.Event()
    writers = [spawn.Process(target=write_often, args=(tmp_path, stop)) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        started = time.monotonic()
        while number_in(tmp_path) == 0:  # until they have begun
            assert time.monotonic() - started < 60
        seen, end = set(), time.monotonic() + 2
        while time.monotonic() < end:
            seen.add(number_in(tmp_path))
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert len(seen) > 5
    assert len([*tmp_path.iterdir()]) == 2
