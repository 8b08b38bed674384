"""Makes what watches the jobs: where measures are sent, where heartbeats are kept."""

from collections.abc import Mapping
from datetime import datetime

from headrace.config import Config
from headrace.measured import MetricSink
from headrace.pipelines.telemetry import HEARTBEATS, UNITS, Telemetry, heartbeat_text
from headrace.stores.files import LakeFiles


def telemetry(config: Config, run: str) -> Telemetry:
    """The telemetry of this process, not yet started. Raises HeadraceError where a place to send to cannot be used.

    Args:
        run: the id of this run, kept with each heartbeat.
    """
    files, settings = LakeFiles(config.lake), config.metrics

    def beat(job: str, beats: Mapping[str, datetime]) -> None:
        place = HEARTBEATS.format(job=job)
        files.replace_text(place, heartbeat_text(run, files.read_text(place), beats))

    sinks: list[MetricSink] = []
    # Loaded where they are wanted: the command line loads this module, and answers at once.
    if settings.cloudwatch is not None:
        from headrace.stores.cloudwatch import CloudWatchSink

        sinks.append(CloudWatchSink(settings.cloudwatch, settings.name, UNITS))
    if settings.prometheus is not None:
        from headrace.stores.prometheus import PrometheusSink

        sinks.append(PrometheusSink(settings.prometheus, settings.name))
    return Telemetry(settings, sinks, beat)
