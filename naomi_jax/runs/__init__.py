"""Folders of runs: created, resumed, opened."""
