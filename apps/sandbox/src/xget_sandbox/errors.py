"""What can be wrong with the way the sandbox was asked to start or to misbehave."""


class SandboxError(Exception):
    """One sentence that names the mistake and the fix; the command prints it and ends with 2."""
