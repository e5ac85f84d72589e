"""What set-up says when it cannot go on."""


class SetupError(Exception):
    """The machine lacks something that set-up cannot supply; the message says what, and the ways to supply it."""
