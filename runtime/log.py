"""One rich line per event, over the standard library's handlers so that libraries read alike."""

import logging
import sys
from typing import Any, TextIO, cast

import structlog


def configure(*, json: bool, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log line of this process, ours and the libraries', through one handler.

    Args:
        json: One JSON object a line (journals, files) instead of coloured text (terminals).
        level: DEBUG, INFO, WARNING or ERROR.
        stream: Where to; standard error unless given, since standard output is for data.
    """
    out = sys.stderr if stream is None else stream
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: structlog.typing.Processor
    if json:
        shared.append(structlog.processors.format_exc_info)
        last = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    else:
        last = structlog.dev.ConsoleRenderer(colors=out.isatty())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())


def get_logger(**facts: object) -> structlog.stdlib.BoundLogger:
    """A logger with facts bound to it, usually ``worker=...`` and ``sensor_id=...``."""
    return cast("structlog.stdlib.BoundLogger", structlog.get_logger("border_watch", **facts))


class Repeated:
    """A fault that may last for hours: logged at first, at every tenth time, and when it ends.

    Args:
        log: Where to.
        event: The fault's name in snake_case; its end is logged as ``<event>_over``.
    """

    def __init__(self, log: structlog.stdlib.BoundLogger, event: str) -> None:
        self._log = log
        self._event = event
        self.count = 0

    def fault(self, **facts: Any) -> None:
        """It happened (again)."""
        self.count += 1
        if self.count == 1 or self.count % 10 == 0:
            self._log.warning(self._event, times=self.count, **facts)

    def over(self, **facts: Any) -> None:
        """It works; says so once if it did not before."""
        if self.count:
            self._log.info(f"{self._event}_over", times=self.count, **facts)
            self.count = 0
