/** One point: its topics, directories and processes, and all of it gone at the end. */

import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Broker } from '../../src/broker/port.ts'
import { deleteTopics, internalTopics } from '../measure/topics.ts'
import type { Axis } from './axis.ts'
import type { Checked } from './check.ts'
import { inChild } from './child.ts'
import { type PointResult, pointResult } from './result.ts'
import type { Run } from './run.ts'
import { type PointSpec, pointOf } from './spec.ts'

export type Place =
  | { readonly kind: 'embedded' }
  | { readonly kind: 'kafka'; readonly broker: Broker; readonly bootstrap: string }

/** @throws Error when a record was lost or doubled. */
export async function measurePoint(place: Place, axis: Axis, index: number, records: number): Promise<PointResult> {
  const id = `growth-${axis.name}-${randomUUID()}`
  const dir = await mkdtemp(join(tmpdir(), 'streamctl-growth-'))
  const spec: PointSpec = {
    axis: axis.name,
    index,
    records,
    bootstrap: place.kind === 'kafka' ? place.bootstrap : null,
    app: id,
    input: `${id}-input`,
    output: `${id}-output`,
    brokerDir: join(dir, 'broker'),
    stateDir: join(dir, 'state'),
  }
  const point = pointOf(spec)
  const measured = { from: point.loaded, to: point.loaded + point.records }
  try {
    if (point.loaded > 0) {
      const loaded = { from: 0, to: point.loaded }
      await inChild('fill', spec, loaded)
      await inChild('run', spec, loaded)
    }
    await inChild('fill', spec, measured)
    const run = await inChild<Run>('run', spec, measured)
    const { outputRecords, wrong } = await inChild<Checked>('check', spec, { from: 0, to: measured.to })
    if (wrong !== null) throw new Error(`${axis.name} at ${point.label}, ${place.kind}: ${wrong}`)
    return pointResult(axis, point, run, outputRecords)
  } finally {
    await rm(dir, { recursive: true, force: true })
    // Input and output are named after the application, as its internal topics are.
    if (place.kind === 'kafka') await deleteTopics(place.bootstrap, await internalTopics(place.broker, id))
  }
}
