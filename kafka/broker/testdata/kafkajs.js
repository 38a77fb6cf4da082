// A round through an unmodified kafkajs: admin, producer, transaction, group.
// Usage: node kafkajs.js FOLDER_WITH_NODE_MODULES HOST:PORT
const { createRequire } = require('node:module')
const [folder, broker] = process.argv.slice(2)
const { Kafka, logLevel } = createRequire(folder + '/')('kafkajs')

const kafka = new Kafka({ clientId: 'js', brokers: [broker], logLevel: logLevel.ERROR })
const topic = 'from-js'

async function main() {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] })

  const producer = kafka.producer({ idempotent: true, transactionalId: 'js-1', maxInFlightRequests: 1 })
  await producer.connect()
  const kept = await producer.transaction()
  await kept.send({ topic, messages: [{ key: 'k', value: 'committed', headers: { h: '1' } }] })
  await kept.commit()
  const dropped = await producer.transaction()
  await dropped.send({ topic, messages: [{ key: 'k', value: 'aborted' }] })
  await dropped.abort()
  const last = await producer.transaction()
  await last.send({ topic, messages: [{ key: 'k', value: 'last' }] })
  await last.commit()

  const seen = await consume(2)
  const offsets = await admin.fetchTopicOffsets(topic)
  const groups = (await admin.listGroups()).groups.map((g) => g.groupId)
  await Promise.all([producer.disconnect(), admin.disconnect()])
  console.log(JSON.stringify({ seen, partitions: offsets.length, groups }))
}

async function consume(count) {
  const consumer = kafka.consumer({ groupId: 'js-group' })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const seen = []
  await new Promise((resolve, reject) => {
    consumer.run({
      eachMessage: async ({ message }) => {
        seen.push(message.value.toString())
        if (seen.length === count) resolve()
      },
    }).catch(reject)
  })
  await consumer.disconnect()
  return seen
}

main().catch((error) => { console.error(error); process.exit(1) })
