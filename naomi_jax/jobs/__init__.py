"""What a command does with files."""
