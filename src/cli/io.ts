/** What a command may touch of the process, as arguments: tests run commands on streams of their own. Data goes to stdout, everything for people to stderr. */

import type { Readable, Writable } from 'node:stream'
import type { StreamError } from '../common/errors.ts'
import { escapeJson, escapeText } from './escape.ts'
import { toJson } from './json-values.ts'

export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  /** stdout: data only. */
  readonly out: LineWriter
  readonly outIsTerminal: boolean
  readonly stderr: Writable & { readonly isTTY?: boolean }
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Calls back at every SIGINT and SIGTERM, which then end nothing by themselves; returns the removal. */
  onSignal(listener: () => void): () => void
  /** Calls back with every failure of the user's code that nobody caught, which then ends nothing by itself; returns the removal. */
  onUncaught(listener: (failure: StreamError) => void): () => void
  /** Ends the process at once. */
  exit(code: number): void
}

/** Whether a build server runs the command. */
export function isCi({ CI: ci }: Io['env']): boolean {
  return ci !== undefined && ci !== '' && ci !== '0' && ci !== 'false'
}

/** One line for people. */
export function say(io: Pick<Io, 'stderr'>, text: string): void {
  io.stderr.write(`${escapeText(text)}\n`)
}

/** Lines of data into a stream that may be slow or may close. */
export class LineWriter {
  readonly #stream: Writable
  #closed = false
  readonly #closing: Promise<void>

  constructor(stream: Writable) {
    this.#stream = stream
    this.#closing = new Promise((resolve) => {
      const gone = (): void => {
        this.#closed = true
        resolve()
      }
      if (stream.destroyed) gone()
      stream.once('close', gone)
      stream.on('error', gone)
    })
  }

  /** The reader has gone (`| head -1`): nothing written from now on arrives. */
  get closed(): boolean {
    return this.#closed
  }

  get closing(): Promise<void> {
    return this.#closing
  }

  /** Anything as one line of JSON; resolves when the stream takes more. */
  json(value: unknown): Promise<void> | undefined {
    return this.text(`${escapeJson(toJson(value))}\n`)
  }

  /** Text as it is, with its line ends. */
  text(text: string): Promise<void> | undefined {
    if (this.#closed || this.#stream.write(text)) return undefined
    return new Promise((resolve) => {
      this.#stream.once('drain', resolve)
      void this.#closing.then(resolve)
    })
  }
}

/** The envelope of every JSON document of one-shot commands. */
export function envelope(kind: string, app: string | null, data: unknown, warnings: readonly Warning[] = []): unknown {
  return { v: 1, kind, ...(app === null ? {} : { app }), at: new Date().toISOString(), data, warnings }
}

export interface Warning {
  readonly code: string
  readonly message: string
}
