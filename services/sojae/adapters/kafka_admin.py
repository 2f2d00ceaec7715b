"""Topics through confluent-kafka's admin client: their ids, and the making of missing ones."""

import logging
import re
from collections.abc import Sequence

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from sojae.adapters.kafka_connection import Connection, broker_error
from sojae.domain.errors import BrokerError
from sojae.topics import topic_configuration

log = logging.getLogger(__name__)

ADMIN_TIMEOUT_SECONDS = 10.0
MOCK_CLUSTER = "mockCluster"
"""How the id of librdkafka's mock cluster begins."""


def topic_ids(connection: Connection, topics: Sequence[str]) -> dict[str, str]:
    """Return the ids of the topics' present incarnations; on the mock, which has none, the broker's run id and the name.

    Raises BrokerError when they cannot be had. NOTE: a broker that is slow to answer must not pass for one without ids.
    """
    if connection.run_id is not None:
        return {topic: f"{connection.run_id}/{topic}" for topic in topics}
    admin = AdminClient(connection.for_librdkafka())
    try:
        asked = admin.describe_topics(TopicCollection(list(topics)), request_timeout=ADMIN_TIMEOUT_SECONDS)
        found = {topic: str(described.result().topic_id) for topic, described in asked.items()}
    except (KafkaException, AttributeError, ValueError) as error:
        log.debug("no topic ids of %s: %s", topics, error)
        found = {}
    for topic in topics:
        if not re.search(r"[1-9A-Za-z]", found.get(topic, "").replace("A", "")):
            raise BrokerError(
                en=f"the broker at {connection.bootstrap_servers} gives no id of topic {topic}; use Apache Kafka 2.8 or newer",
                ko=f"{connection.bootstrap_servers} 브로커가 토픽 {topic}의 id를 주지 않습니다. Apache Kafka 2.8 이상을 쓰십시오",
            )
    return found


def create_topics(connection: Connection, topics: Sequence[str], partitions: int) -> list[str]:
    """Make the topics that are not there yet, each with its settings, and return their names; raises BrokerError."""
    admin = AdminClient(connection.for_librdkafka())
    try:
        cluster = admin.list_topics(timeout=ADMIN_TIMEOUT_SECONDS)
        missing = [t for t in topics if t not in cluster.topics]
        if str(cluster.cluster_id).startswith(MOCK_CLUSTER):
            # The mock has no controller to ask; it makes a topic, with 4 partitions, when somebody looks it up.
            for topic in missing:
                admin.list_topics(topic, timeout=ADMIN_TIMEOUT_SECONDS)
            return missing
        wanted = [NewTopic(t, partitions, 1, config=dict(topic_configuration(t))) for t in missing]
        for topic, done in admin.create_topics(wanted).items() if wanted else ():
            try:
                done.result(ADMIN_TIMEOUT_SECONDS)
            except KafkaException as error:
                if "already exists" not in str(error):
                    raise
                log.debug("%s was made by somebody else in between", topic)
    except (KafkaException, TimeoutError) as error:
        raise broker_error(connection, error) from error
    return missing
