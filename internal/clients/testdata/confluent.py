"""A round through an unmodified confluent_kafka: administration, producers, transactions, groups.

Usage: python3 confluent.py FOLDER_OF_CONFLUENT_KAFKA HOST:PORT PREFIX SETTINGS_AS_JSON
"""
import json
import sys
import threading
import time

folder, broker, prefix, login = sys.argv[1:5]
sys.path.insert(0, folder)

from confluent_kafka import (Consumer, ConsumerGroupTopicPartitions, IsolationLevel, KafkaError, KafkaException,  # noqa: E402
                             Producer, TopicCollection, TopicPartition)
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions,  # noqa: E402
                                   NewTopic, OffsetSpec, ResourceType, ScramCredentialInfo, ScramMechanism,
                                   UserScramCredentialDeletion, UserScramCredentialUpsertion)

LIMIT = 60  # seconds that anything may take
BEGIN = int(time.time() * 1000) - 100000  # the time of the first record; retention takes older ones
CLUSTER = {"bootstrap.servers": broker, **json.loads(login)}
admin = AdminClient(CLUSTER)
result = {}


def name(s):
    return prefix + s


def plain(s):
    return s.removeprefix(prefix)


def of(futures):
    return {k: f.result(LIMIT) for k, f in futures.items()}


def code(f):
    """The name of the error that a call ends with."""
    try:
        f()
    except KafkaException as e:
        return e.args[0].name()
    return "none"


def topics():
    of(admin.create_topics([NewTopic(name("t"), 2, 1, config={"retention.ms": "3600000"}), NewTopic(name("out"), 1, 1)]))
    again = admin.create_topics([NewTopic(name("t"), 2, 1)])[name("t")]
    result["exists"] = code(lambda: again.result(LIMIT))
    of(admin.create_partitions([NewPartitions(name("t"), 3)]))
    found = until(lambda: of(admin.describe_topics(TopicCollection([name("t")])))[name("t")], lambda t: len(t.partitions) == 3)
    result["described"] = [plain(found.name), len(found.partitions), len(str(found.topic_id)) > 8]
    missing = admin.describe_topics(TopicCollection([name("missing")]))[name("missing")]
    result["missing"] = code(lambda: missing.result(LIMIT))
    cluster = admin.describe_cluster().result(LIMIT)
    result["cluster"] = [len(cluster.nodes), len(cluster.cluster_id) > 0]


def settings():
    of(admin.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, name("t"), incremental_configs=[
        ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.APPEND),
        ConfigEntry("retention.ms", None, incremental_operation=AlterConfigOpType.DELETE),
        ConfigEntry("max.message.bytes", "3000", incremental_operation=AlterConfigOpType.SET),
    ])]))
    got = until(described, lambda c: c["max.message.bytes"].value == "3000")
    result["settings"] = [got[k].value for k in ("cleanup.policy", "retention.ms", "max.message.bytes")]
    of(admin.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, name("t"), incremental_configs=[
        ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.SUBTRACT)])]))
    got = until(described, lambda c: c["cleanup.policy"].value == "delete")
    result["subtracted"] = [got["cleanup.policy"].value, got["cleanup.policy"].is_default]


def described():
    return list(of(admin.describe_configs([ConfigResource(ResourceType.TOPIC, name("t"))])).values())[0]


def produce():
    delivered = []

    def report(error, message):
        delivered.append(error.name() if error else message.offset())

    codecs = ["none", "gzip", "snappy", "lz4", "zstd"]
    for codec in codecs:
        p = Producer({**CLUSTER, "enable.idempotence": True, "compression.type": codec, "linger.ms": 5})
        for i in range(3):
            p.produce(name("t"), key=b"k", value=f"{codec}-{i}".encode(), partition=0, timestamp=BEGIN + i + 10 * codecs.index(codec), headers={"h": b"1"},
                      on_delivery=report)
        result.setdefault("left", []).append(p.flush(LIMIT))
    result["delivered"] = delivered
    p = Producer({**CLUSTER, "compression.type": "none", "message.max.bytes": 100000})
    p.produce(name("t"), value=b"x" * 5000, on_delivery=lambda e, m: result.update(large=e.name() if e else "none"))
    p.flush(LIMIT)


def offsets():
    first = TopicPartition(name("t"), 0)
    for title, spec in {"earliest": OffsetSpec.earliest(), "latest": OffsetSpec.latest(), "max": OffsetSpec.max_timestamp(),
                        "since": OffsetSpec.for_timestamp(BEGIN + 11)}.items():
        found = list(of(admin.list_offsets({first: spec}, isolation_level=IsolationLevel.READ_COMMITTED)).values())[0]
        result.setdefault("offsets", {})[title] = [found.offset, found.timestamp - BEGIN if found.timestamp >= 0 else found.timestamp]
    deleted = list(of(admin.delete_records([TopicPartition(name("t"), 0, 2)])).values())[0]
    result["low"] = deleted.low_watermark


def consumer(group, **more):
    return Consumer({**CLUSTER, "group.id": name(group), "auto.offset.reset": "earliest", "enable.auto.commit": False,
                     "session.timeout.ms": 120000, "heartbeat.interval.ms": 1000, **more})


def read(c, count):
    got, end = [], time.time() + LIMIT
    while len(got) < count and time.time() < end:
        m = c.poll(0.2)
        if m is None:
            continue
        if m.error():
            raise KafkaException(m.error())
        got.append(m)
    return got


def groups():
    c = consumer("g")
    c.subscribe([name("t")])
    got = read(c, 13)
    result["read"] = [got[0].offset(), [(k, v.decode()) for k, v in got[0].headers()], got[-1].value().decode(), got[-1].timestamp()[1] - BEGIN]
    c.commit(message=got[4], asynchronous=False)
    result["committed"] = c.committed([TopicPartition(name("t"), 0)], LIMIT)[0].offset
    result["times"] = c.offsets_for_times([TopicPartition(name("t"), 0, BEGIN + 40)], LIMIT)[0].offset
    result["marks"] = c.get_watermark_offsets(TopicPartition(name("t"), 0), LIMIT)
    described = of(admin.describe_consumer_groups([name("g")]))[name("g")]
    result["group"] = [described.state.name, described.partition_assignor, len(described.members), len(described.members[0].assignment.topic_partitions)]
    c.close()
    listed = admin.list_consumer_groups().result(LIMIT).valid
    result["listed"] = [g.state.name for g in listed if g.group_id == name("g")]
    of(admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(name("g"), [TopicPartition(name("t"), 0, 5)])]))
    held = of(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(name("g"))]))[name("g")]
    result["altered"] = [[p.partition, p.offset] for p in held.topic_partitions if p.offset >= 0]


def rebalances():
    """Two static members that rebalance cooperatively; one of them restarts and nothing moves."""
    one, two = consumer("r", **member("one")), consumer("r", **member("two"))
    moved = []
    one.subscribe([name("t")], on_revoke=lambda c, ps: moved.append(len(ps)))
    two.subscribe([name("t")])
    result["shared"] = sorted(map(len, until(lambda: shares(one, two), lambda s: sorted(map(len, s)) == [1, 2])))
    before = [p.partition for p in two.assignment()]
    two.close()  # a static member does not leave
    again = consumer("r", **member("two"))
    again.subscribe([name("t")])
    until(lambda: shares(one, again), lambda s: len(s[1]) > 0)
    result["same"] = [p.partition for p in again.assignment()] == before
    result["moved"] = sum(moved) <= 2
    one.close()
    again.close()


def member(instance):
    return {"group.instance.id": instance, "partition.assignment.strategy": "cooperative-sticky"}


def shares(*consumers):
    for c in consumers:
        c.poll(0.1)
    return [[p.partition for p in c.assignment()] for c in consumers]


def until(look, good):
    """What is seen once it is good: a broker of Apache Kafka learns late of what its controller did, or made."""
    end = time.time() + LIMIT
    while True:
        late = time.time() > end
        try:
            seen = look()
            if good(seen) or late:
                return seen
        except KafkaException:
            if late:
                raise


def transactional(instance):
    p = Producer({**CLUSTER, "transactional.id": name(instance), "transaction.timeout.ms": 30000})
    p.init_transactions(LIMIT)
    return p


def transactions():
    source = consumer("etl", **{"isolation.level": "read_committed"})
    source.subscribe([name("t")])
    p = transactional("tx")
    got = read(source, 13)
    p.begin_transaction()
    p.produce(name("out"), b"dropped")
    p.send_offsets_to_transaction([TopicPartition(name("t"), 0, got[1].offset() + 1)], source.consumer_group_metadata(), LIMIT)
    p.flush(LIMIT)
    p.abort_transaction(LIMIT)
    result["aborted"] = source.committed([TopicPartition(name("t"), 0)], LIMIT)[0].offset
    p.begin_transaction()
    for m in got:
        p.produce(name("out"), m.value().upper())
    p.send_offsets_to_transaction([TopicPartition(name("t"), 0, got[-1].offset() + 1)], source.consumer_group_metadata(), LIMIT)
    p.commit_transaction(LIMIT)
    result["etl"] = source.committed([TopicPartition(name("t"), 0)], LIMIT)[0].offset
    source.close()
    heir = transactional("tx")
    p.begin_transaction()
    p.produce(name("out"), b"zombie")
    result["fenced"] = code(lambda: p.commit_transaction(LIMIT))
    heir.begin_transaction()
    heir.produce(name("out"), b"open")
    heir.flush(LIMIT)
    c = consumer("reader", **{"isolation.level": "read_committed"})
    c.assign([TopicPartition(name("out"), 0, 0)])
    result["visible"] = [m.value().decode() for m in read(c, 13)]
    result["hidden"] = c.poll(0.5) is None
    heir.commit_transaction(LIMIT)
    result["then"] = [m.value().decode() for m in read(c, 1)]
    c.close()


def users():
    def change(alteration):
        of(admin.alter_user_scram_credentials([alteration]))

    def ada():
        found = admin.describe_user_scram_credentials([name("ada")])[name("ada")].result(LIMIT)
        return [(i.mechanism.name, i.iterations) for i in found.scram_credential_infos]

    change(UserScramCredentialUpsertion(name("ada"), ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 8192), b"lace", b"salt"))
    result["user"] = until(ada, bool)
    change(UserScramCredentialDeletion(name("ada"), ScramMechanism.SCRAM_SHA_256))
    result["no user"] = until(lambda: code(ada), lambda c: c != "none")


def clean():
    of(admin.delete_consumer_groups([name("g"), name("etl")]))
    of(admin.delete_topics([name("t"), name("out")]))
    again = admin.delete_topics([name("t")])[name("t")]
    result["deleted"] = code(lambda: again.result(LIMIT))


def give_up():
    print(json.dumps(result), file=sys.stderr)
    sys.stderr.flush()
    import os
    os._exit(3)


watch = threading.Timer(150, give_up)
watch.daemon = True
watch.start()
for part in (topics, settings, produce, offsets, groups, rebalances, transactions, users, clean):
    try:
        part()
    except Exception:
        print(part.__name__, json.dumps(result), file=sys.stderr)
        raise
print(json.dumps(result))
