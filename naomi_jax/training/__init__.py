"""Training: pure steps, the loop around them, checkpoints and logs; one file each."""
