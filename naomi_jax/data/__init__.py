"""Data sets, masks and standardization; one file each."""
