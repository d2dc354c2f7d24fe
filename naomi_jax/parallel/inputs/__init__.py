"""What the network reads: where a pass stands, and features of it."""
