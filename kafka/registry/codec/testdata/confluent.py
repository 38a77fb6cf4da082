"""Reads what Go wrote with Confluent's deserializers, and writes it again with their serializers.

usage: confluent.py FOLDER REGISTRY AVRO JSON   (the two values in hexadecimal)
"""
import json
import sys

sys.path.insert(0, sys.argv[1])

from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: E402
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer  # noqa: E402
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer  # noqa: E402
from confluent_kafka.serialization import MessageField, SerializationContext  # noqa: E402

registry = SchemaRegistryClient({"url": sys.argv[2]})
avro, text = (bytes.fromhex(value) for value in sys.argv[3:])
latest = {"auto.register.schemas": False, "use.latest.version": True}

orders = SerializationContext("orders", MessageField.VALUE)
order = AvroDeserializer(registry)(avro, orders)
people = SerializationContext("people", MessageField.VALUE)
schema = registry.get_latest_version("people-value").schema.schema_str
person = JSONDeserializer(schema, schema_registry_client=registry)(text, people)
print(json.dumps({
    "order": {name: str(value) for name, value in order.items()},
    "avro": AvroSerializer(registry, registry.get_latest_version("orders-value").schema.schema_str, conf=latest)(order, orders).hex(),
    "person": person,
    "json": JSONSerializer(schema, registry, conf=latest)(person, people).hex(),
}))
