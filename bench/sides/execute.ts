/** Runs a tool to its end, for its output. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** @throws Error with what the tool wrote when it is missing or ends with another status than 0. */
export async function execute(file: string, args: readonly string[], cwd?: string): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(file, [...args], { cwd, maxBuffer: 16 << 20 })
    return stdout + stderr
  } catch (cause) {
    const { code, stdout = '', stderr = '' } = cause as { code?: unknown; stdout?: string; stderr?: string }
    const why = code === 'ENOENT' ? 'it is not on the path' : `${stdout}${stderr}`
    throw new Error(`${file} ${args[0] ?? ''} failed: ${why}`, { cause })
  }
}
