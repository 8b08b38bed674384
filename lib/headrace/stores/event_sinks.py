"""The stream of events that the settings name."""

from headrace.config_conversations import Events, FileEvents
from headrace.ports_events import EventSink
from headrace.stores.event_buffer import BufferedSink
from headrace.stores.event_sink_files import FileDelivery
from headrace.stores.event_sink_kafka import KafkaDelivery


def sink(settings: Events) -> EventSink:
    """Where turns and ratings go. Raises MissingDependency where a client library is not installed."""
    delivery = FileDelivery(settings) if isinstance(settings, FileEvents) else KafkaDelivery(settings)
    return BufferedSink(delivery, settings)
