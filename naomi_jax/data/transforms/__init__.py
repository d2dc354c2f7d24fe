"""What is taken off the values before a method and put back after it."""
