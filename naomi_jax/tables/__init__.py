"""A person's table with holes, read and written back: `files`, `frames` and what both need."""
