"""What `border-edge doctor` says of one thing that it looked at."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: Named as in the config.
        verdict: `warning` works, but not as well as it should.
        detail: What was found, and what to do where it is not well.
    """

    what: str
    verdict: Literal["ok", "warning", "failed"]
    detail: str
