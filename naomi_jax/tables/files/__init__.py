"""Tables in files, read as people have them and written back to the letter."""
