"""Pages of docs/, run as they are written.

The `bash` blocks of a page run one after the other in one shell, its `python` blocks in one
namespace; what a `text` block shows behind one of them is what that block prints.
"""

import contextlib
import io
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(bash|python|text)\n(.*?)^```$", re.M | re.S)
_END = "--- the end of a block ---"


def blocks(page, language):
    """[(code, what it prints or None)] of a page's blocks in one language."""
    found = _BLOCK.findall((ROOT / page).read_text())
    shown = [text if kind == "text" else None for kind, text in [*found[1:], ("", "")]]
    return [(code, text) for (kind, code), text in zip(found, shown) if kind == language]


def run_bash(page, folder):
    """Run a page's commands in a folder; returns what each block printed."""
    code, shown = zip(*blocks(page, "bash"))
    script = "".join(f"{block}\necho '{_END}'\n" for block in code)
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-ec", script], cwd=folder, env={**os.environ, "PATH": path}, text=True,
        capture_output=True,
    )  # fmt: skip
    printed = done.stdout.split(f"{_END}\n")
    assert done.returncode == 0, f"{page}: {code[len(printed) - 1]}\n{done.stderr}"
    _compare(page, code, shown, printed)
    return printed[:-1]


def run_python(page, folder):
    """Run a page's Python in a folder; returns its names."""
    code, shown = zip(*blocks(page, "python"))
    names, printed = {"__name__": page}, []
    with contextlib.chdir(folder):
        for number, block in enumerate(code, 1):
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(block, f"{page}, Python block {number}", "exec"), names)
            printed.append(out.getvalue())
    _compare(page, code, shown, printed)
    return names


def _compare(page, code, shown, printed):
    for block, text, said in zip(code, shown, printed):
        assert text in (None, said), f"{page}: printed {said!r} and not {text!r} by\n{block}"


def link_repository(folder):
    """Make a folder what the root of a copy of the repository is to the commands."""
    for name in ("train.py", "eval.py", "configs", "naomi_jax"):
        (folder / name).symlink_to(ROOT / name)
