"""The site's zones as the nodes get them: versioned, signed, the same text until they change."""

import hashlib
import json
from dataclasses import dataclass

from ground_station.config import GroundConfig
from ground_station.store import Store, Transaction, chain
from ground_station.store import zones as stored
from ground_station.zones import Site, zones_document
from runtime.clock import Clock
from wire.codec import zones_text
from wire.commands import SignedDocument
from wire.signing import SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedZones:
    """What is published to nodes."""

    version: int
    document: SignedDocument


def signed_zones(
    config: GroundConfig, *, site: Site, store: Store, key: SigningKey, clock: Clock
) -> SignedZones:
    """The zones in force; a changed site file gets the next version and an audit row."""
    content = json.dumps(site.features, sort_keys=True, ensure_ascii=False)
    content_sha256 = hashlib.sha256(content.encode()).hexdigest()
    with store.write() as tx:
        version, text = _in_force(tx, config, site, content_sha256, clock)
    return SignedZones(version=version, document=key.sign(text))


def _in_force(
    tx: Transaction, config: GroundConfig, site: Site, content_sha256: str, clock: Clock
) -> tuple[int, str]:
    newest = stored.newest(tx)
    if newest is not None and newest.content_sha256 == content_sha256:
        return newest.version, newest.document_text
    now_utc = clock.utc()
    # Nodes refuse what is not newer than what they hold. Seconds of UTC stay ahead of every earlier
    # version also when this database was lost, or is older than the nodes' copies.
    version = max(0 if newest is None else newest.version + 1, int(now_utc.timestamp()))
    text = zones_text(
        zones_document(
            features=site.features,
            site_id=config.station.site_id,
            version=version,
            issued_at_utc=now_utc,
            issued_by="station",
        )
    )
    document_sha256 = hashlib.sha256(text.encode()).hexdigest()
    stored.add(
        tx,
        version=version,
        content_sha256=content_sha256,
        document_sha256=document_sha256,
        document_text=text,
        t_utc=now_utc,
    )
    chain.append(
        tx,
        t_utc=now_utc,
        actor="system",
        act="zones.issued",
        subject=config.station.site_id,
        detail={"version": version, "sha256": document_sha256},
    )
    return version, text
