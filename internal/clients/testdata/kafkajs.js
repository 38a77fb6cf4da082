// A round through an unmodified kafkajs: administration, producers, transactions, groups.
// Usage: node kafkajs.js FOLDER_WITH_NODE_MODULES HOST:PORT PREFIX [CERTIFICATE USER PASSWORD]
const { createRequire } = require('node:module')
const { readFileSync } = require('node:fs')
const [folder, broker, prefix, certificate, username, password] = process.argv.slice(2)
const { Kafka, logLevel, CompressionTypes, ConfigResourceTypes } = createRequire(folder + '/')('kafkajs')

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1'
const kafka = new Kafka({ clientId: 'js', brokers: [broker], logLevel: logLevel.NOTHING, ...login() })
const topic = prefix + 't', out = prefix + 'out', group = prefix + 'g'
const result = {}

function login() {
  return certificate ? { ssl: { ca: [readFileSync(certificate)] }, sasl: { mechanism: 'plain', username, password } } : {}
}

async function main() {
  const admin = kafka.admin()
  await admin.connect()
  for (const part of [administer, produce, consume, transactions, clean]) {
    await part(admin)
  }
  await admin.disconnect()
  console.log(JSON.stringify(result))
}

async function administer(admin) {
  const wanted = { topic, numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '3600000' }] }
  result.created = [await admin.createTopics({ topics: [wanted, { topic: out, numPartitions: 1 }] }), await admin.createTopics({ topics: [wanted] })]
  await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })
  const partitions = async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.map((p) => p.partitionId).sort()
  result.partitions = await until(partitions, (all) => all.length === 3)
  await admin.alterConfigs({ resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: 'max.message.bytes', value: '4000' }] }] })
  const settings = async () => {
    const { resources } = await admin.describeConfigs({ resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['max.message.bytes', 'retention.ms'] }] })
    return Object.fromEntries(resources[0].configEntries.map((e) => [e.configName, e.configValue]))
  }
  result.settings = await until(settings, (all) => all['max.message.bytes'] === '4000') // what is left out is reset
  const cluster = await admin.describeCluster()
  result.cluster = [cluster.brokers.length, cluster.clusterId.length > 0]
}

async function produce(admin) {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  for (const compression of [CompressionTypes.None, CompressionTypes.GZIP]) {
    const [sent] = await producer.send({ topic, compression, messages: [1, 2].map((i) => ({ partition: 0, key: 'k', value: `v${i}`, headers: { h: 'x' } })) })
    ;(result.sent ??= []).push(Number(sent.baseOffset))
  }
  result.large = await type(producer.send({ topic, messages: [{ partition: 0, value: 'x'.repeat(5000) }] }))
  await producer.disconnect()
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] })
  const offsets = await admin.fetchTopicOffsets(topic)
  result.offsets = offsets.sort((a, b) => a.partition - b.partition).map((o) => [o.low, o.high])
}

async function consume(admin) {
  const seen = await read(topic, group, 3)
  result.seen = seen.map((m) => [m.offset, m.value.toString(), m.headers.h.toString()])
  const { groups } = await admin.describeGroups([group])
  result.group = [groups[0].state, groups[0].protocolType]
  result.listed = (await admin.listGroups()).groups.some((g) => g.groupId === group)
  await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '2' }] })
  const committed = await admin.fetchOffsets({ groupId: group, topics: [topic] })
  result.committed = committed[0].partitions.find((p) => p.partition === 0).offset
  result.again = (await read(topic, group, 2)).map((m) => m.offset)
}

async function transactions(admin) {
  const producer = kafka.producer({ transactionalId: prefix + 'tx', idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const dropped = await producer.transaction()
  await dropped.send({ topic: out, messages: [{ value: 'dropped' }] })
  await dropped.sendOffsets({ consumerGroupId: prefix + 'etl', topics: [{ topic, partitions: [{ partition: 0, offset: '2' }] }] })
  await dropped.abort()
  const kept = await producer.transaction()
  await kept.send({ topic: out, messages: [{ value: 'kept' }] })
  await kept.sendOffsets({ consumerGroupId: prefix + 'etl', topics: [{ topic, partitions: [{ partition: 0, offset: '3' }] }] })
  await kept.commit()
  const heir = kafka.producer({ transactionalId: prefix + 'tx', idempotent: true, maxInFlightRequests: 1 })
  await heir.connect()
  const last = await heir.transaction()
  const late = await producer.transaction()
  result.fenced = await type(late.send({ topic: out, messages: [{ value: 'zombie' }] }))
  await last.send({ topic: out, messages: [{ value: 'last' }] })
  await last.commit()
  result.visible = (await read(out, prefix + 'r', 2)).map((m) => m.value.toString())
  result.etl = (await admin.fetchOffsets({ groupId: prefix + 'etl', topics: [topic] }))[0].partitions.find((p) => p.partition === 0).offset
  await Promise.all([producer.disconnect(), heir.disconnect()])
}

async function clean(admin) {
  await admin.deleteGroups([group])
  await admin.deleteTopics({ topics: [topic, out] })
  result.left = await until(async () => (await admin.listTopics()).filter((t) => t === topic || t === out), (left) => !left.length)
}

// until is what is seen once it is good: a broker of Apache Kafka learns late of what its controller did.
async function until(look, good) {
  for (let n = 0; ; n++) {
    const seen = await look()
    if (good(seen) || n === 300) return seen
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

// read has the next messages of a group, which commits them.
async function read(from, groupId, count) {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200 })
  await consumer.connect()
  await consumer.subscribe({ topics: [from], fromBeginning: true })
  const seen = []
  await new Promise((resolve, reject) => {
    consumer.run({
      eachMessage: async ({ message }) => {
        seen.push(message)
        if (seen.length === count) resolve()
      },
    }).catch(reject)
  })
  await consumer.disconnect()
  return seen
}

// type is the error's name in the protocol.
async function type(promise) {
  try {
    await promise
    return 'none'
  } catch (e) {
    return e.type ?? e.errors?.[0]?.type ?? e.cause?.type ?? e.message
  }
}

main().catch((error) => { console.error(JSON.stringify(result), error); process.exit(1) })
