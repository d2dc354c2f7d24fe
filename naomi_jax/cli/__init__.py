"""The commands: flags, messages and exit statuses."""
