"""Measures as custom metrics of Amazon CloudWatch, in statistic sets: one value pair per metric and report."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from headrace.config_metrics import CloudWatch
from headrace.errors import Unreachable
from headrace.measured import Measured
from headrace.stores.aws_clients import aws_client
from headrace.stores.vectors import brief

MOST = 1000
"""Metrics in one call: what the service takes."""


class CloudWatchSink:
    """Calls PutMetricData. A `ports.MetricSink`.

    Args:
        name: the dimension `Name`, beside `Job` and `Source`.
        units: CloudWatch's unit of each metric.
        client: boto3's, in tests.
    """

    def __init__(self, settings: CloudWatch, name: str, units: Mapping[str, str], client: Any = None) -> None:
        self._namespace, self._name, self._units = settings.namespace, name, units
        self._client = client or aws_client(
            "cloudwatch", region=settings.region, role=settings.role, seconds=10, calls=1
        )

    def put(self, measured: Sequence[Measured]) -> None:
        """Report. Raises HeadraceError; then nothing, or only a part, was taken."""
        from botocore.exceptions import BotoCoreError, ClientError

        now = datetime.now(UTC)
        for data in _parts([self._datum(one, now) for one in measured]):
            try:
                self._client.put_metric_data(Namespace=self._namespace, MetricData=data)
            except (BotoCoreError, ClientError) as error:
                raise Unreachable(
                    where="cloudwatch:PutMetricData",
                    expected="metrics to be taken",
                    found=brief(str(error)),
                    todo="They are kept and sent later; the job's role must allow it, and its network reach it.",
                ) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _datum(self, one: Measured, now: datetime) -> dict[str, Any]:
        dimensions = {"Name": self._name, "Job": one.job, "Source": one.source}
        return {
            "MetricName": one.metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            "Timestamp": now,
            "Unit": self._units[one.metric],
            "StatisticValues": {
                "SampleCount": float(one.count), "Sum": one.total, "Minimum": one.low, "Maximum": one.high,
            },
        }  # fmt: skip


def _parts(data: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(data), MOST):
        yield data[start : start + MOST]
