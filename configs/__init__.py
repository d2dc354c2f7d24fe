"""One file per run: what it is, readable top to bottom."""
