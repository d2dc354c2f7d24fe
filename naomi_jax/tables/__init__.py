"""A person's table with holes, read and written back; a file for each form."""
