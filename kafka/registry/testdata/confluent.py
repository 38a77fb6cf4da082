"""What services in Python do with Confluent's client: serializers that register, deserializers
that ask for ids, and the registry's settings. Prints what happened as JSON.

usage: confluent.py FOLDER REGISTRY BROKER TOPIC
"""
import json
import sys
import time

sys.path.insert(0, sys.argv[1])

from confluent_kafka import Consumer, Producer  # noqa: E402
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient  # noqa: E402
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer  # noqa: E402
from confluent_kafka.schema_registry.error import SchemaRegistryError  # noqa: E402
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer  # noqa: E402
from confluent_kafka.schema_registry.schema_registry_client import ConfigCompatibilityLevel, ServerConfig  # noqa: E402
from confluent_kafka.serialization import MessageField, SerializationContext  # noqa: E402

_, _, url, broker, topic = sys.argv
registry = SchemaRegistryClient({"url": url})
out = {}

ORDER = """{"type": "record", "name": "Order", "namespace": "shop", "fields": [
    {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
    {"name": "total", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
    {"name": "note", "type": ["null", "string"], "default": null}]}"""
NEXT = ORDER.replace('"default": null}]', '"default": null}, {"name": "rank", "type": "int", "default": 7}]')
PERSON = """{"$schema": "http://json-schema.org/draft-07/schema#", "title": "Person", "type": "object",
    "properties": {"name": {"type": "string"}}, "required": ["name"]}"""


def refused(do):
    try:
        do()
    except SchemaRegistryError as e:
        return [e.http_status_code, e.error_code]
    return None


def through_kafka(payload):
    producer = Producer({"bootstrap.servers": broker})
    producer.produce(topic, payload)
    if producer.flush(30) != 0:
        raise RuntimeError("nothing was written")
    consumer = Consumer({"bootstrap.servers": broker, "group.id": topic, "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([topic])
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            message = consumer.poll(1)
            if message is not None and not message.error():
                return message.value()
    finally:
        consumer.close()
    raise RuntimeError("nothing was read")


value = SerializationContext(topic, MessageField.VALUE)
from decimal import Decimal  # noqa: E402

order = {"id": "6f1f2bd3-1c2e-4a39-9f0a-0a8a5c3c2b11", "total": Decimal("12.50"), "note": None}
payload = AvroSerializer(registry, ORDER)(order, value)
out["header"] = list(payload[:5])
read = AvroDeserializer(registry, NEXT)(through_kafka(payload), value)
out["read"] = {name: str(v) for name, v in read.items()}

out["latest"] = registry.get_latest_version(topic + "-value").version
AvroSerializer(registry, NEXT)({**order, "rank": 1}, value)
out["versions"] = registry.get_versions(topic + "-value")
pinned = AvroSerializer(SchemaRegistryClient({"url": url}), ORDER, conf={"auto.register.schemas": False, "use.latest.version": True})
out["pinned"] = list(pinned({**order, "rank": 2}, value)[:5])
out["incompatible"] = refused(lambda: registry.register_schema(topic + "-value", Schema(ORDER.replace('"note"', '"other"').replace(', "default": null', ""), "AVRO")))
out["compatible"] = registry.test_compatibility(topic + "-value", Schema(NEXT, "AVRO"))

person = SerializationContext(topic + "-people", MessageField.VALUE)
encoded = JSONSerializer(PERSON, registry)({"name": "Ada"}, person)
out["person"] = JSONDeserializer(PERSON, schema_registry_client=registry)(encoded, person)

registry.register_schema("address", Schema('{"type": "record", "name": "Address", "namespace": "shop", "fields": [{"name": "city", "type": "string"}]}', "AVRO"))
user = Schema('{"type": "record", "name": "User", "namespace": "shop", "fields": [{"name": "home", "type": "Address"}]}', "AVRO",
              [SchemaReference("shop.Address", "address", 1)])
users = SerializationContext("users", MessageField.VALUE)
written = AvroSerializer(registry, user)({"home": {"city": "Jeonju"}}, users)
out["user"] = AvroDeserializer(registry)(written, users)
out["referenced"] = refused(lambda: registry.delete_subject("address"))

registry.set_config("users-value", ServerConfig(compatibility=ConfigCompatibilityLevel.FULL_TRANSITIVE))
out["config"] = registry.get_config("users-value").compatibility_level.value
out["subjects"] = sorted(registry.get_subjects())
out["deleted"] = registry.delete_subject("users-value")
out["gone"] = refused(lambda: registry.get_latest_version("users-value"))
out["missing"] = refused(lambda: registry.get_schema(4711))
print(json.dumps(out))
