"""A module has one job, and fits a reader's head."""

LONGEST_LINES = 400
REASONS: dict[str, str] = {
    # Module over 400 lines: the sentence that says why it stays whole.
    "edge/outbox/queue.py": "One order of what goes first and one account of what was dropped: "
    "put, send, receipt and make room read and write the same rows in one transaction each.",
}


def test_long_modules_have_a_reason(modules) -> None:
    """Every anchor's weak spot is its biggest file: ours are listed with a reason or split."""
    long = {m.place for m in modules if len(m.text.splitlines()) > LONGEST_LINES}
    assert set() == long - set(REASONS)
    assert set(REASONS) <= {m.place for m in modules}
    assert all(reason.endswith(".") for reason in REASONS.values())


def test_every_module_says_its_job(modules) -> None:
    """The first line of each file is a sentence about the file."""
    assert [] == [m.place for m in modules if not m.text.lstrip().startswith('"""')]
