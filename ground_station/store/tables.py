"""The tables. Instants are whole milliseconds since 1970 UTC; messages are kept as their JSON text."""

import sqlalchemy as sa

METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)
ULID = sa.String(26)
NAME = sa.String(48)
SHA256 = sa.String(64)
MS = sa.BigInteger

observations = sa.Table(
    "observations",
    METADATA,
    sa.Column("id", ULID, primary_key=True),
    sa.Column("node_id", NAME, nullable=False),
    sa.Column("sensor_id", NAME, nullable=False),
    sa.Column("track_id", ULID, nullable=False),
    sa.Column("seq", sa.BigInteger),
    sa.Column("phase", sa.String(8), nullable=False),
    sa.Column("is_key", sa.Boolean, nullable=False),
    sa.Column("object_class", sa.String(16), nullable=False),
    sa.Column("lon_deg", sa.Double),
    sa.Column("lat_deg", sa.Double),
    sa.Column("t_event_utc_ms", MS, nullable=False),
    sa.Column("t_arrival_utc_ms", MS, nullable=False),
    sa.Column("filed_by_arrival", sa.Boolean, nullable=False),
    sa.Column("late", sa.Boolean, nullable=False),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("body_json", sa.Text, nullable=False),
    sa.Index("ix_observations_t_event_utc_ms", "t_event_utc_ms"),
    sa.Index("ix_observations_t_arrival_utc_ms", "t_arrival_utc_ms"),
    sa.Index("ix_observations_track_id", "track_id"),
)

nodes = sa.Table(
    "nodes",
    METADATA,
    sa.Column("node_id", NAME, primary_key=True),
    sa.Column("session", ULID),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("birth_json", sa.Text),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("state_reason", sa.String(200), nullable=False),
    sa.Column("t_birth_utc_ms", MS),
    sa.Column("t_state_utc_ms", MS),
)

births = sa.Table(
    "births",
    METADATA,
    sa.Column("id", ULID, primary_key=True),
    sa.Column("node_id", NAME, nullable=False, index=True),
    sa.Column("session", ULID, nullable=False),
    sa.Column("t_arrival_utc_ms", MS, nullable=False),
    sa.Column("body_json", sa.Text, nullable=False),
)

health = sa.Table(
    "health",
    METADATA,
    sa.Column("id", ULID, primary_key=True),
    sa.Column("node_id", NAME, nullable=False),
    sa.Column("t_arrival_utc_ms", MS, nullable=False, index=True),
    sa.Column("body_json", sa.Text, nullable=False),
)

seq_ranges = sa.Table(
    # Which running numbers of a node's outbox are committed: stretches without a gap.
    "seq_ranges",
    METADATA,
    sa.Column("node_id", NAME, primary_key=True),
    sa.Column("first_seq", sa.BigInteger, primary_key=True),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
)

received = sa.Table(
    # Ids of outbox messages that are not observations (media, acks), for idempotence.
    "received",
    METADATA,
    sa.Column("id", ULID, primary_key=True),
    sa.Column("node_id", NAME, nullable=False),
    sa.Column("topic_name", sa.String(16), nullable=False),
    sa.Column("t_arrival_utc_ms", MS, nullable=False, index=True),
)

media = sa.Table(
    "media",
    METADATA,
    sa.Column("media_id", ULID, primary_key=True),
    sa.Column("node_id", NAME, nullable=False),
    sa.Column("sensor_id", NAME, nullable=False),
    sa.Column("track_id", ULID, index=True),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("sha256", SHA256, nullable=False, index=True),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("on_disk", sa.Boolean, nullable=False),
    sa.Column("t_frame_utc_ms", MS),
    sa.Column("t_arrival_utc_ms", MS, nullable=False, index=True),
    sa.Column("simulated", sa.Boolean, nullable=False),
)

links = sa.Table(
    "links",
    METADATA,
    sa.Column("track_id", ULID, primary_key=True),
    sa.Column("target_id", ULID, nullable=False),
    sa.Column("t_utc_ms", MS, nullable=False, index=True),
)

alerts = sa.Table(
    "alerts",
    METADATA,
    sa.Column("alert_id", ULID, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("level", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("outcome", sa.String(16)),
    sa.Column("t_event_utc_ms", MS, nullable=False),
    sa.Column("t_raised_utc_ms", MS, nullable=False, index=True),
    sa.Column("t_changed_utc_ms", MS, nullable=False, index=True),
    sa.Column("view_json", sa.Text, nullable=False),
)

alert_acts = sa.Table(
    "alert_acts",
    METADATA,
    sa.Column("alert_id", ULID, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("t_utc_ms", MS, nullable=False),
    sa.Column("act", sa.String(32), nullable=False),
    sa.Column("by_whom", sa.String(200), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)

findings = sa.Table(
    "findings",
    METADATA,
    sa.Column("finding_id", sa.String(120), primary_key=True),
    sa.Column("target_id", ULID, nullable=False),
    sa.Column("alert_id", ULID, index=True),
    sa.Column("rule", sa.String(32), nullable=False),
    sa.Column("t_event_utc_ms", MS, nullable=False, index=True),
    sa.Column("body_json", sa.Text, nullable=False),
)

audit = sa.Table(
    "audit",
    METADATA,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("t_utc", sa.String(24), nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("act", sa.String(64), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False),
    sa.Column("detail_json", sa.Text, nullable=False),
    sa.Column("previous_sha256", SHA256, nullable=False),
    sa.Column("sha256", SHA256, nullable=False),
)

audit_head = sa.Table(
    # One row: the end of the chain; its update orders writers of several processes.
    "audit_head",
    METADATA,
    sa.Column("only", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("sha256", SHA256, nullable=False),
)

users = sa.Table(
    "users",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("display_name", sa.String(100), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("password_hash", sa.String(300), nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("t_created_utc_ms", MS, nullable=False),
)

sessions = sa.Table(
    "sessions",
    METADATA,
    sa.Column("token_sha256", SHA256, primary_key=True),
    sa.Column("user_name", sa.String(64), nullable=False, index=True),
    sa.Column("csrf_token", sa.String(64), nullable=False),
    sa.Column("t_created_utc_ms", MS, nullable=False),
    sa.Column("t_expires_utc_ms", MS, nullable=False, index=True),
    sa.Column("t_seen_utc_ms", MS, nullable=False),
)

login_links = sa.Table(
    "login_links",
    METADATA,
    sa.Column("token_sha256", SHA256, primary_key=True),
    sa.Column("user_name", sa.String(64), nullable=False),
    sa.Column("t_expires_utc_ms", MS, nullable=False),
)

idempotency = sa.Table(
    "idempotency",
    METADATA,
    sa.Column("user_name", sa.String(64), primary_key=True),
    sa.Column("idempotency_key", sa.String(64), primary_key=True),
    sa.Column("request_sha256", SHA256, nullable=False),
    sa.Column("answer_json", sa.Text, nullable=False),
    sa.Column("t_utc_ms", MS, nullable=False, index=True),
)

commands = sa.Table(
    "commands",
    METADATA,
    sa.Column("command_id", ULID, primary_key=True),
    sa.Column("node_id", NAME, nullable=False),
    sa.Column("verb", sa.String(32), nullable=False),
    sa.Column("operator", sa.String(200), nullable=False),
    sa.Column("t_issued_utc_ms", MS, nullable=False, index=True),
    sa.Column("t_expires_utc_ms", MS, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

zones_versions = sa.Table(
    "zones_versions",
    METADATA,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content_sha256", SHA256, nullable=False),
    sa.Column("document_sha256", SHA256, nullable=False),
    sa.Column("t_utc_ms", MS, nullable=False),
    sa.Column("document_text", sa.Text, nullable=False),
)
