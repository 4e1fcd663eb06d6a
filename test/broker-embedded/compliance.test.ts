import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbedded } from '../../src/broker/embedded/broker.ts'
import { brokerCompliance } from '../compliance/broker.ts'

brokerCompliance('embedded, in memory', async () => {
  const broker = await openEmbedded()
  return { connect: async () => broker.connect(), stop: () => broker.close() }
})

brokerCompliance('embedded, on disk', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'streamctl-embedded-'))
  const broker = await openEmbedded({ dir })
  return {
    connect: async () => broker.connect(),
    stop: async () => {
      await broker.close()
      await rm(dir, { recursive: true })
    },
  }
})
