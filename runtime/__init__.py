"""The little both ends run on: clock, errors, settings, log and workers."""
