"""Data sets, masks and standardisation; one file each."""
