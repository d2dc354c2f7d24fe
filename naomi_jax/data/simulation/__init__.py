"""Simulators of data that cannot be had."""
