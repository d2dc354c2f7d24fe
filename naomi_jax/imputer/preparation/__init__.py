"""What is done to a table before anything is modelled, and undone after it."""
