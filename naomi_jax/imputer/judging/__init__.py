"""Hiding, holding out, stacking, intervals: how good each candidate is."""
