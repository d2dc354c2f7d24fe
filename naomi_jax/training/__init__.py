"""Training: pure updates, the loop around them, checkpoints and logs; one file each."""
