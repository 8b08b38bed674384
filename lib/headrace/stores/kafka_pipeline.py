"""The OpenSearch Ingestion pipeline that brings a topic of passages into an index. Checked as YAML only, never run."""

from typing import Any

import yaml

from headrace.config_indexes import KafkaIndex


def ingestion_pipeline(
    settings: KafkaIndex, *, host: str, index: str, generation: str, region: str, role: str, failures: str
) -> str:
    """The pipeline as YAML. It writes what `opensearch_index` would: same ids, external versions, deletes as documents.

    The index must be there, made by opening a store with `store: opensearch` and the same name once, or from
    `opensearch_template.definition`; Data Prepper's own template knows nothing of vectors.

    Args:
        host: the domain's or collection's URL.
        index, generation: documents go to `<index>__<generation>`.
        role: that may read the topic and write the index.
        failures: bucket for documents the index refuses.
    """
    aws = {"region": region, "sts_role_arn": role}
    place = f"{index}__{generation}"
    refused = {"s3": {"bucket": failures, "region": region, "sts_role_arn": role}}
    sink = {"opensearch": {"hosts": [host], "aws": dict(aws), "index": place, **_WRITES, "dlq": refused}}
    name = f"{index}-from-kafka".replace("_", "-").replace(".", "-")
    pipeline = {"source": {"kafka": _source(settings, place, aws)}, "sink": [sink]}
    return yaml.safe_dump({"version": "2", name: pipeline}, sort_keys=False)


_WRITES = {
    "index_type": "custom",
    "action": "index",
    "document_id": "${/row/key}",
    "document_version": "${/row/version}",
    "document_version_type": "external",
}


def _source(settings: KafkaIndex, group: str, aws: dict[str, str]) -> dict[str, Any]:
    topic = {
        "name": settings.topic,
        "group_id": group,
        "serde_format": "json",
        "key_mode": "discard",
        "auto_offset_reset": "earliest",
    }
    return {
        "bootstrap_servers": settings.servers.split(","),
        "topics": [topic],
        "acknowledgments": True,
        "aws": dict(aws),
    }
