"""CloudWatch by botocore's stubber, with the service's own shapes; Prometheus by reading its page."""

import socket
import urllib.request

import pytest
from botocore.session import get_session
from botocore.stub import ANY, Stubber

from headrace.config_metrics import CloudWatch, Prometheus
from headrace.errors import ConfigError, Unreachable
from headrace.measured import Measured
from headrace.pipelines.telemetry import UNITS
from headrace.stores.cloudwatch import CloudWatchSink

MEASURED = [
    Measured("apply_changes", "shop", "LagSeconds", 2, 9.0, 4.0, 5.0, 4.0),
    Measured("apply_changes", "shop", "RowsApplied", 2, 30, 10, 20, 20),
]


def stubbed():
    client = get_session().create_client(
        "cloudwatch", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    return CloudWatchSink(CloudWatch(), "prod", UNITS, client), Stubber(client)


def test_cloudwatch_gets_one_set_of_statistics_per_metric():
    sink, stub = stubbed()
    said = {"Name": "prod", "Job": "apply_changes", "Source": "shop"}
    dimensions = [{"Name": name, "Value": value} for name, value in said.items()]
    expected = {
        "Namespace": "Headrace",
        "MetricData": [
            {
                "MetricName": "LagSeconds", "Dimensions": dimensions, "Timestamp": ANY, "Unit": "Seconds",
                "StatisticValues": {"SampleCount": 2.0, "Sum": 9.0, "Minimum": 4.0, "Maximum": 5.0},
            },
            {
                "MetricName": "RowsApplied", "Dimensions": dimensions, "Timestamp": ANY, "Unit": "Count",
                "StatisticValues": {"SampleCount": 2.0, "Sum": 30, "Minimum": 10, "Maximum": 20},
            },
        ],
    }  # fmt: skip
    stub.add_response("put_metric_data", {}, expected)
    with stub:
        sink.put(MEASURED)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["Throttling", "AccessDenied", "InternalServiceFault"])
def test_cloudwatch_that_refuses_says_why(code):
    sink, stub = stubbed()
    stub.add_client_error("put_metric_data", service_error_code=code, service_message="said so")
    with stub, pytest.raises(Unreachable, match=f"{code}.*said so"):
        sink.put(MEASURED)


def test_the_value_of_a_measure_is_a_metric_of_its_own():
    sink, stub = stubbed()
    value = Measured("track_feedback", "errors", "MeasureValue", 1, 0.1, 0.1, 0.1, 0.1)
    data = {
        "MetricName": "MeasureValue", "Timestamp": ANY, "Unit": "None",
        "Dimensions": [
            {"Name": "Name", "Value": "prod"}, {"Name": "Job", "Value": "track_feedback"},
            {"Name": "Source", "Value": "errors"},
        ],
        "StatisticValues": {"SampleCount": 1.0, "Sum": 0.1, "Minimum": 0.1, "Maximum": 0.1},
    }  # fmt: skip
    stub.add_response("put_metric_data", {}, {"Namespace": "Headrace", "MetricData": [data]})
    with stub:
        sink.put([value])
        stub.assert_no_pending_responses()


def test_prometheus_reads_the_newest_values_and_growing_counts():
    from headrace.stores.prometheus import PrometheusSink

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = Prometheus(port=port)
    sink = PrometheusSink(settings, "prod")
    try:
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}"):
            PrometheusSink(settings, "prod")
        beat = Measured("apply_changes", "shop", "Heartbeat", 1, 1, 1, 1, 1)
        batch = Measured("apply_changes", "shop", "BatchSeconds", 3, 4.5, 1, 2, 1)
        rate = Measured("track_feedback", "errors", "MeasureValue", 2, 0.4, 0.1, 0.3, 0.3)
        rows = Measured("track_feedback", "errors", "MeasureRows", 1, 40, 40, 40, 40)
        sink.put([*MEASURED, beat, batch, rate, rows])
        sink.put(MEASURED)
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    finally:
        sink.close()
    labels = 'job_name="apply_changes",name="prod",source="shop"'
    for line in (
        f"headrace_lag_seconds{{{labels}}} 4.0",
        'headrace_measure_value{job_name="track_feedback",name="prod",source="errors"} 0.3',
        'headrace_measure_rows{job_name="track_feedback",name="prod",source="errors"} 40.0',
        'headrace_rows_total{job_name="apply_changes",name="prod",outcome="applied",source="shop"} 60.0',
        f"headrace_batches_total{{{labels}}} 3.0",
        f"headrace_batch_seconds_total{{{labels}}} 4.5",
        f"headrace_heartbeat_timestamp_seconds{{{labels}}}",
    ):
        assert line in page, page
