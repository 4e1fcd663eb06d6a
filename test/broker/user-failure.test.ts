import { expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import { folder, program } from '../cli/process.ts'
import { readBytes } from './support/kcat.ts'
import { createTopic, writeLines } from './support/topic.ts'

const bootstrap = inject('bootstrap')

test('a promise that rejects in an engine thread is a failure of processing at its line, and nothing is committed', async () => {
  const app = `unheard-${Date.now()}-${process.pid}`
  const cwd = folder({
    'topology.ts': `
import { defineTopology, string, topic } from 'streamctl'
const lines = topic('${app}-lines', { key: string, value: string })
const copies = topic('${app}-copies', { key: string, value: string })
export default defineTopology('${app}', (b) => {
  b.stream(lines)
    .peek(async (line) => {
      if (line === 'two') throw new Error('no two')
    })
    .to(copies)
})
`,
  })
  const broker = await connectKafka({ bootstrap })
  try {
    await createTopic(broker, `${app}-lines`, 2)
    await createTopic(broker, `${app}-copies`, 1)
    await writeLines(bootstrap, `${app}-lines`, 2, ['one', 'two', 'three'])
    // No commit before the failure: the interval outlasts the test. The second run meets the same records again.
    const args = ['run', 'topology.ts', '--broker', bootstrap, '--workers', '2', '--commit-interval', '60s', '--no-tui']
    for (let i = 0; i < 2; i++) {
      const result = await program(args, { cwd })
      const paragraph = result.stderr.trimEnd().split('\n').at(-1) ?? ''
      expect(paragraph).toMatch(/^streamctl: .*no two\. Where: topology\.ts:8:\d+/)
      expect(paragraph).not.toContain('bug in streamctl')
      expect(result.exit).toBe(7)
    }
    const partitions = [0, 1].map((partition) => ({ topic: `${app}-lines`, partition }))
    const committed = await broker.committed(app, partitions)
    // The thread that did not fail may commit its own partition as it stops; that of the failure stays.
    expect(committed.filter(({ partition }) => partition === 1)).toEqual([])
    const values = (await readBytes(bootstrap, `${app}-copies`)).map(({ value }) => String(value))
    expect(values).not.toContain('two')
  } finally {
    await broker.close()
  }
})
