/** A process that commits transactions until it is killed: each writes `size` records to two partitions, and its number as an offset. */

import { writeSync } from 'node:fs'
import { openEmbedded } from '../../src/broker/embedded/broker.ts'
import { noHeaders } from '../../src/common/record.ts'

const [dir = '', size = '10', from = '0'] = process.argv.slice(2)
const broker = await openEmbedded({ dir })
await broker.createTopics([{ name: 'out', partitions: 2, configs: {} }])
const producer = await broker.transactionalProducer({ transactionalId: 'writer' })
const noise = await broker.transactionalProducer({ transactionalId: 'noise' })
const output = producer.output('out')
const filler = Buffer.alloc(300_000)

for (let n = Number(from); ; n++) {
  for (let i = 0; i < Number(size); i++) output.append(i % 2, null, Buffer.from(`${n}:${i}`), n, noHeaders)
  const offsets = [{ topic: 'out', partition: 0, offset: n + 1, metadata: '' }]
  const group = { groupId: 'writers', generation: -1, memberId: '', instanceId: null }
  // A transaction that never commits lies between those that do.
  for (let i = 0; i < 4; i++) noise.output('out').append(0, null, filler, n, noHeaders)
  await Promise.all([producer.commit({ group, offsets }), n % 3 === 0 ? noise.reset() : undefined])
  // Synchronous, so that the line is out when the process is killed after it.
  writeSync(1, `${n}\n`)
}
