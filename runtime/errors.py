"""Errors by what their reader can do: try again, ask the operator, or stop.

Each carries its facts as attributes and reads as one sentence.
"""


class BorderWatchError(Exception):
    """Root of every error this project raises on purpose."""


class RetryLater(BorderWatchError):
    """The world is not ready; the same call may succeed later.

    Args:
        what: What failed, as a clause ("the broker at 127.0.0.1:1883 refused the connection").
        retry_after_s: When it is worth trying again, in seconds.
    """

    def __init__(self, what: str, *, retry_after_s: float) -> None:
        self.what = what
        self.retry_after_s = retry_after_s
        super().__init__(f"{what}; trying again in {retry_after_s:g} s")


class AskOperator(BorderWatchError):
    """Only a person can put this right.

    Args:
        field: What is wrong, as the person knows it (a key of a file, an option, a column).
        value: The offending value, already free of secrets.
        allowed: What would be accepted.
        next_step: What to do now.
    """

    def __init__(self, *, field: str, value: object, allowed: str, next_step: str) -> None:
        self.field = field
        self.value = value
        self.allowed = allowed
        self.next_step = next_step
        super().__init__(f"{field} is {value!r}; allowed is {allowed}; {next_step}")


class Broken(BorderWatchError):
    """A promise inside the program does not hold; going on would make it worse.

    Args:
        promise: The promise that was broken.
        found: What was found instead.
    """

    def __init__(self, promise: str, *, found: object) -> None:
        self.promise = promise
        self.found = found
        super().__init__(f"broken promise: {promise}; found {found!r}")
