/** Starts `record-path.ts`, so that neither heap nor compiled code of the harness bears on it. */

import { fileURLToPath } from 'node:url'
import { execute } from '../sides/execute.ts'
import type { InProcess } from './measurement.ts'

const program = fileURLToPath(new URL('../record-path.ts', import.meta.url))

export async function measureInProcess(workload: string): Promise<InProcess> {
  return JSON.parse(await execute(process.execPath, [program, workload])) as InProcess
}
