"""How the commands end: exit statuses, one line or none, and never a traceback."""

import errno
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from naomi_jax.cli import process
from naomi_jax.errors import InputError

ROOT = pathlib.Path(__file__).parents[2]


def ends(main):
    """The exit status of a command."""
    try:
        process.run(main)
    except SystemExit as end:
        return end.code
    return 0


def raising(error):
    def main():
        raise error

    return main


def test_bad_input_is_one_line(capsys):
    assert ends(raising(InputError("a\nb"))) == 2
    assert ends(raising(FileNotFoundError(errno.ENOENT, "no such file", "x.csv"))) == 2
    assert capsys.readouterr().err == "error: a b\nerror: x.csv: no such file\n"


def test_a_defect_keeps_its_traceback():
    for error in (ZeroDivisionError(), OSError("of a library, without a file")):
        with pytest.raises(type(error)):
            process.run(raising(error))


def test_ctrl_c_says_how_to_go_on(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train.py", "--data", "my file.csv"])
    for words, expected in (
        ((), "stopped. Run it again with: python train.py --data 'my file.csv'\n"),
        (("stopped; kept",), "stopped; kept: python train.py --data 'my file.csv'\n"),
    ):
        assert ends(raising(KeyboardInterrupt(*words))) == 130
        assert capsys.readouterr().err == f"\n{expected}"


def test_libraries_are_quiet_before_jax_is_imported():
    """XLA reads its variable when JAX is imported, and the user's own is kept."""
    code = (
        "import os, sys; from naomi_jax.cli import doors, process, program; "
        "process.run(lambda: print(os.environ['TF_CPP_MIN_LOG_LEVEL'], 'jax' in sys.modules))"
    )
    for given, expected in (({}, "3 False\n"), ({"TF_CPP_MIN_LOG_LEVEL": "0"}, "0 False\n")):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
        environment |= {"PYTHONPATH": str(ROOT), **given}
        words = [sys.executable, "-c", code]
        done = subprocess.run(words, capture_output=True, text=True, env=environment)
        assert done.stdout == expected, done.stderr


@pytest.mark.parametrize("many", [1, 10**5], ids=["kept in the buffer", "written at once"])
def test_output_that_nobody_reads_ends_it_in_silence(monkeypatch, capfd, many):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert ends(lambda: print("x" * many)) == 141
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux alone has it")
@pytest.mark.parametrize("many", [1, 10**5], ids=["kept in the buffer", "written at once"])
def test_output_without_room_is_one_line(monkeypatch, capfd, many):
    with open("/dev/full", "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert ends(lambda: print("x" * many)) == 1
    said = capfd.readouterr().err
    assert said == "error: the output cannot be written (No space left on device)\n"


def test_closed_streams(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert ends(lambda: print("x")) == 0
    assert ends(raising(InputError("x"))) == 2
    sys.stdout.close(), sys.stderr.close()


def test_a_name_that_cannot_be_printed(tmp_path, monkeypatch):
    with open(tmp_path / "out", "w", encoding="ascii") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert ends(lambda: print("é", os.fsdecode(b"\xff"))) == 0
    assert (tmp_path / "out").read_text() == "\\xe9 \\udcff\n"


@pytest.mark.parametrize("script", ["train.py", "eval.py"])
def test_ctrl_c_during_the_imports(script, tmp_path):
    """Imports that take as long as they like, in place of those of JAX."""
    (tmp_path / script).write_text((ROOT / script).read_text())
    room = tmp_path / "naomi_jax" / "cli"
    room.mkdir(parents=True)
    (tmp_path / "naomi_jax" / "__init__.py").touch()
    (room / "__init__.py").write_text("import time; print('importing', flush=True); time.sleep(60)")
    words = [sys.executable, str(tmp_path / script)]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as command:
        assert command.stdout.readline() == "importing\n"
        command.send_signal(signal.SIGINT)
        assert command.stderr.read() == ""
    assert command.returncode == -signal.SIGINT, "ended by the signal: 130 in a shell"


def test_ctrl_c_in_a_callback_is_not_lost(monkeypatch, capsys):
    """As in a callback of the garbage collector, where Python drops what is raised."""

    class Callback:
        def __del__(self):
            raise KeyboardInterrupt

    def main():
        Callback()
        end = time.monotonic() + 20
        while time.monotonic() < end:
            time.sleep(0.01)

    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    assert ends(main) == 130
    said = capsys.readouterr().err
    assert said.startswith("\nstopped. Run it again") and "ignored" not in said


def test_ctrl_c_is_left_as_it_was(monkeypatch):
    """Ignored stays ignored (nohup); what the script has put off works again within the command."""
    seen = []
    before = signal.getsignal(signal.SIGINT)
    try:
        for handler in (signal.SIG_IGN, signal.SIG_DFL):
            signal.signal(signal.SIGINT, handler)
            process.run(lambda: seen.append(signal.getsignal(signal.SIGINT)))
            assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIG_IGN, signal.default_int_handler]
