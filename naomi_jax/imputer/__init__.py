"""A table with holes in, the same table without holes out; a file for each part of the way."""
