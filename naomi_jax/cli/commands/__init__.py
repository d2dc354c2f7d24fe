"""The subcommands: each adds its flags, and runs what was asked for."""
