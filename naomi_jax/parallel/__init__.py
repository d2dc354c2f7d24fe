"""Level-parallel NAOMI: all missing entries of a level at once, at any time stamps."""
