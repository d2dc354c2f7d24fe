"""The network of the level-parallel method."""
