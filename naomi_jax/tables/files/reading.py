"""Read a table with holes from a file."""

import os

from naomi_jax.errors import InputError
from naomi_jax.tables.options import Options
from naomi_jax.tables.table import Table

TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
ARRAYS = (".npz", ".npy")
EXTENSIONS = (*TEXT, ".parquet", *ARRAYS)

__all__ = ["ARRAYS", "EXTENSIONS", "TEXT", "Options", "extension", "read"]


def read(path: str | os.PathLike, options: Options = Options()) -> Table:  # noqa: B008
    """Read a table with holes.

    Args:
      path: .csv, .tsv or .txt (also .gz), .parquet, .npz or .npy.
      options: what the file alone does not tell.

    Returns:
      Values (T, D), or (N, T, D) from arrays of sequences, with NaN in the holes.

    Raises:
      InputError: naming the file, where in it, what is wrong and what to do.
    """
    path = os.fspath(path)
    kind = extension(path)
    if os.path.isdir(path):
        raise InputError(f"{path}: a folder; a file is needed")
    if kind in TEXT:
        from naomi_jax.tables.files import delimited

        return delimited.read(path, options)
    if kind == ".parquet":
        from naomi_jax.tables.files import parquet

        return parquet.read(path, options)
    from naomi_jax.tables.files import arrays

    return arrays.read(path, options)


def extension(path: str) -> str:
    """The accepted end of a file's name, in small letters.

    Raises:
      InputError: it is none of those accepted.
    """
    name = os.path.basename(path).lower()
    found = next((e for e in EXTENSIONS if name.endswith(e)), None)
    if found is None:
        raise InputError(f"{path}: unknown format; {', '.join(EXTENSIONS)} are accepted")
    return found
