"""What the columns of a file hold: numbers, times, labels."""
