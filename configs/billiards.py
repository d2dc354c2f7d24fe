"""Billiards, small enough for a laptop.

RESULT_PLACEHOLDER
"""

import ml_collections

from configs import traffic


def get_config() -> ml_collections.ConfigDict:
    return traffic.get_config()
