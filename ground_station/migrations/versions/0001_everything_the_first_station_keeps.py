"""Everything the first station keeps."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One step up."""
    op.create_table(
        "alert_acts",
        sa.Column("alert_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("t_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("by_whom", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "number", name=op.f("pk_alert_acts")),
    )
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.String(length=26), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("t_event_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("t_raised_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("t_changed_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("view_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_alerts")),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_alerts_t_changed_utc_ms"), ["t_changed_utc_ms"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_alerts_t_raised_utc_ms"), ["t_raised_utc_ms"], unique=False
        )

    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("t_utc", sa.String(length=24), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("act", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("detail_json", sa.Text(), nullable=False),
        sa.Column("previous_sha256", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
    )
    op.create_table(
        "audit_head",
        sa.Column("only", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("only", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "births",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("node_id", sa.String(length=48), nullable=False),
        sa.Column("session", sa.String(length=26), nullable=False),
        sa.Column("t_arrival_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("body_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_births")),
    )
    with op.batch_alter_table("births", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_births_node_id"), ["node_id"], unique=False)

    op.create_table(
        "commands",
        sa.Column("command_id", sa.String(length=26), nullable=False),
        sa.Column("node_id", sa.String(length=48), nullable=False),
        sa.Column("verb", sa.String(length=32), nullable=False),
        sa.Column("operator", sa.String(length=200), nullable=False),
        sa.Column("t_issued_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("t_expires_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("command_id", name=op.f("pk_commands")),
    )
    with op.batch_alter_table("commands", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_commands_t_issued_utc_ms"), ["t_issued_utc_ms"], unique=False
        )

    op.create_table(
        "findings",
        sa.Column("finding_id", sa.String(length=120), nullable=False),
        sa.Column("target_id", sa.String(length=26), nullable=False),
        sa.Column("alert_id", sa.String(length=26), nullable=True),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("t_event_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("body_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_findings")),
    )
    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_findings_alert_id"), ["alert_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_findings_t_event_utc_ms"), ["t_event_utc_ms"], unique=False
        )

    op.create_table(
        "health",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("node_id", sa.String(length=48), nullable=False),
        sa.Column("t_arrival_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("body_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health")),
    )
    with op.batch_alter_table("health", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_health_t_arrival_utc_ms"), ["t_arrival_utc_ms"], unique=False
        )

    op.create_table(
        "idempotency",
        sa.Column("user_name", sa.String(length=64), nullable=False),
        sa.Column("idempotency_key", sa.String(length=64), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("answer_json", sa.Text(), nullable=False),
        sa.Column("t_utc_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_name", "idempotency_key", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_t_utc_ms"), ["t_utc_ms"], unique=False)

    op.create_table(
        "links",
        sa.Column("track_id", sa.String(length=26), nullable=False),
        sa.Column("target_id", sa.String(length=26), nullable=False),
        sa.Column("t_utc_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("track_id", name=op.f("pk_links")),
    )
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_links_t_utc_ms"), ["t_utc_ms"], unique=False)

    op.create_table(
        "login_links",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("user_name", sa.String(length=64), nullable=False),
        sa.Column("t_expires_utc_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_login_links")),
    )
    op.create_table(
        "media",
        sa.Column("media_id", sa.String(length=26), nullable=False),
        sa.Column("node_id", sa.String(length=48), nullable=False),
        sa.Column("sensor_id", sa.String(length=48), nullable=False),
        sa.Column("track_id", sa.String(length=26), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("on_disk", sa.Boolean(), nullable=False),
        sa.Column("t_frame_utc_ms", sa.BigInteger(), nullable=True),
        sa.Column("t_arrival_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("media_id", name=op.f("pk_media")),
    )
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_media_sha256"), ["sha256"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_media_t_arrival_utc_ms"), ["t_arrival_utc_ms"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_media_track_id"), ["track_id"], unique=False)

    op.create_table(
        "nodes",
        sa.Column("node_id", sa.String(length=48), nullable=False),
        sa.Column("session", sa.String(length=26), nullable=True),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("birth_json", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("state_reason", sa.String(length=200), nullable=False),
        sa.Column("t_birth_utc_ms", sa.BigInteger(), nullable=True),
        sa.Column("t_state_utc_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_nodes")),
    )
    op.create_table(
        "observations",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("node_id", sa.String(length=48), nullable=False),
        sa.Column("sensor_id", sa.String(length=48), nullable=False),
        sa.Column("track_id", sa.String(length=26), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("phase", sa.String(length=8), nullable=False),
        sa.Column("is_key", sa.Boolean(), nullable=False),
        sa.Column("object_class", sa.String(length=16), nullable=False),
        sa.Column("lon_deg", sa.Double(), nullable=True),
        sa.Column("lat_deg", sa.Double(), nullable=True),
        sa.Column("t_event_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("t_arrival_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("filed_by_arrival", sa.Boolean(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("body_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observations")),
    )
    with op.batch_alter_table("observations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_observations_t_arrival_utc_ms", ["t_arrival_utc_ms"], unique=False
        )
        batch_op.create_index("ix_observations_t_event_utc_ms", ["t_event_utc_ms"], unique=False)
        batch_op.create_index("ix_observations_track_id", ["track_id"], unique=False)

    op.create_table(
        "received",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("node_id", sa.String(length=48), nullable=False),
        sa.Column("topic_name", sa.String(length=16), nullable=False),
        sa.Column("t_arrival_utc_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received")),
    )
    with op.batch_alter_table("received", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_received_t_arrival_utc_ms"), ["t_arrival_utc_ms"], unique=False
        )

    op.create_table(
        "seq_ranges",
        sa.Column("node_id", sa.String(length=48), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node_id", "first_seq", name=op.f("pk_seq_ranges")),
    )
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("user_name", sa.String(length=64), nullable=False),
        sa.Column("csrf_token", sa.String(length=64), nullable=False),
        sa.Column("t_created_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("t_expires_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("t_seen_utc_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sessions_t_expires_utc_ms"), ["t_expires_utc_ms"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_sessions_user_name"), ["user_name"], unique=False)

    op.create_table(
        "users",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.String(length=300), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("t_created_utc_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_users")),
    )
    op.create_table(
        "zones_versions",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.Column("t_utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("document_text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_zones_versions")),
    )
    _append_only()


def _append_only() -> None:
    """No row of the audit is ever changed or removed, not even by this program."""
    if op.get_bind().dialect.name == "sqlite":
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{deed.lower()} BEFORE {deed} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION audit_append_only()"
    )
