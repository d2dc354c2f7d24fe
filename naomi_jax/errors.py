"""The one exception that the commands turn into a single line and exit status 2."""


class InputError(ValueError):
    """Something from outside (a file, a flag, a checkpoint, a download) cannot be used.

    The message is one line that names the thing, says what is wrong with it and what to do.
    """
