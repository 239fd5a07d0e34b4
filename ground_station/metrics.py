"""Figures of one station for OpenMetrics: base units, prefix `bw_`, a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
_DELAY_BUCKETS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 600.0)


class Metrics:
    """All counters and gauges; labels have few values by construction."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, namespace="bw", registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, namespace="bw", registry=self.registry)

        self.received = counter("messages_received", "Messages let in, by topic row", "topic")
        self.refused = counter("messages_refused", "Messages not let in, by reason", "reason")
        self.duplicates = counter("messages_duplicate", "Messages committed before")
        self.unknown_fields = counter("unknown_fields", "Fields that this version does not know")
        self.late = counter("observations_late", "Observations committed late")
        self.by_arrival = counter(
            "observations_by_arrival", "Observations filed by arrival, their clock not believed"
        )
        self.committed = counter("observations_committed", "Observations committed")
        self.key_committed = counter("key_observations_committed", "Key observations committed")
        self.receipts = counter("receipts_sent", "Receipts sent")
        self.renumbered = counter("node_renumbered", "Nodes whose numbering began anew")
        self.state_dropped = counter("states_dropped", "States of another session than birth's")
        self.inbox_dropped = gauge("inbox_dropped", "Messages that came faster than they were read")
        self.capture_to_commit_s = Histogram(
            "capture_to_event_seconds",
            "From capture to the event for the pages, observations that are not late",
            namespace="bw",
            buckets=_DELAY_BUCKETS,
            registry=self.registry,
        )
        self.commit_s = Histogram(
            "commit_seconds",
            "One batch from bytes to commit, decision included",
            namespace="bw",
            buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0),
            registry=self.registry,
        )
        self.nodes = gauge("nodes", "Nodes by shown state", "state")
        self.open_alerts = gauge("open_alerts", "Alerts that wait for somebody")
        self.broker_connected = gauge("broker_connected", "1 while the broker is reached")
        self.listeners = gauge("event_listeners", "Pages that listen")
        self.decider = gauge("decision", "Counters of the decision core since start", "what")
        self.worker_age_s = gauge("worker_beat_age_seconds", "Since a worker's last beat", "worker")
        self.worker_restarts = gauge("worker_restarts", "Restarts of a worker", "worker")
        self.logins_refused = counter("logins_refused", "Logins refused")

    def text(self) -> bytes:
        """The exposition."""
        return bytes(generate_latest(self.registry))  # type: ignore[no-untyped-call]
