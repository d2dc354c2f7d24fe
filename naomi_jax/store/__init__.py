"""What was learned, in files: whole or not at all, and under checksums."""
