"""What `set_output` of scikit-learn asks for: fills as a DataFrame, whatever was handed over."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from naomi_jax.tables.printable import quoted

CONTAINERS = ("default", "pandas", "polars")


def check(container: Any) -> None:
    """Raise ValueError where it is none of `CONTAINERS`."""
    if not isinstance(container, str) or container not in CONTAINERS:
        raise ValueError(f"transform: {container!r}; one of {', '.join(CONTAINERS)} is needed")


def asked(own: dict[str, str]) -> str:
    """What an estimator was asked for, or else all of scikit-learn, if it is loaded.

    Args:
      own: what `set_output` was told, as scikit-learn keeps it, so that its clones keep it, too.
    """
    if "transform" in own:
        return own["transform"]
    everywhere = getattr(sys.modules.get("sklearn"), "get_config", dict)()
    return everywhere.get("transform_output", "default")


def contained(filled: Any, container: str, names: Sequence[str]) -> Any:
    """A filled table in the container that was asked for.

    Args:
      filled: in the container that was handed over.
      container: one of `CONTAINERS`.
      names: of the columns of an array.

    Raises:
      ValueError: it is no table of one series (T, D).
    """
    if container == "default":
        return filled
    room = type(filled).__module__.split(".")[0]
    if hasattr(filled, "to_frame") and hasattr(filled, "dtype") and room != "xarray":
        filled = filled.to_frame()
    if room == container:
        return filled
    columns: dict[str, Any]
    if isinstance(filled, np.ndarray) and filled.ndim == 2:
        columns = {name: filled[:, number] for number, name in enumerate(names)}
    elif not isinstance(filled, np.ndarray) and room in ("pandas", "polars"):
        columns = {str(name): filled[name].to_numpy() for name in filled.columns}
    else:
        raise ValueError(
            f"set_output: {type(filled).__name__} cannot become a table of {quoted(container)}; "
            "hand over a DataFrame or an array (T, D)"
        )
    if container == "polars":
        import polars

        return polars.DataFrame({name: np.asarray(cells) for name, cells in columns.items()})
    import pandas as pd

    return pd.DataFrame(columns)
