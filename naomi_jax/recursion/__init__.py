"""The paper's method: from a mask to a schedule, encoders, heads, the decode and its gradient.

Imports nothing from the other folders of naomi_jax.
"""
