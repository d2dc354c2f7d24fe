"""Level-parallel NAOMI: all missing entries of a level at once, between known entries at any times."""
