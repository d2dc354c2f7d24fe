"""The rooms of tables: few files in each, and imports between them point one way."""

import ast
import pathlib

import naomi_jax.tables

ROOM = pathlib.Path(naomi_jax.tables.__file__).parent
# From top to bottom; "" is what stands beside the rooms, which all of them need.
ORDER = ("files", "frames", "columns", "")


def imports_of(file):
    """Rooms of tables that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("naomi_jax.tables"):
            for alias in node.names:
                parts = f"{node.module}.{alias.name}".split(".")[2:]
                yield parts[0] if (ROOM / parts[0]).is_dir() else ""


def test_imports_point_down_and_files_and_frames_know_nothing_of_each_other():
    for file in ROOM.rglob("*.py"):
        room = file.parent.name if file.parent != ROOM else ""
        below = {room, *ORDER[max(ORDER.index(room), 1) + (room != "") :]}
        assert set(imports_of(file)) <= below, file


def test_no_room_has_more_than_twelve_files():
    for folder in (ROOM, *(ROOM / name for name in ORDER[:-1])):
        files = [file for file in folder.glob("*.py") if file.name != "__init__.py"]
        assert 1 < len(files) <= 12, folder
