"""The decode: its schedule and plan, the scan over the ticks, and its gradient."""
