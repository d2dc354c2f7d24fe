"""The candidates that fill a table."""
