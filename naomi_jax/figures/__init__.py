"""Figures and the page; they need matplotlib (extra `plot`)."""
