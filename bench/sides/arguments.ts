/** The other end of `argumentsOf`, for the sides written for Node. */

import type { RunSpec } from './side.ts'

/** @throws Error naming what is missing. */
export function readArguments(args: readonly string[]): RunSpec {
  const given = new Map(args.map((arg) => [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)]))
  const text = (key: string) => {
    const value = given.get(key)
    if (value === undefined) throw new Error(`argument ${key}=... is missing`)
    return value
  }
  return {
    bootstrap: text('bootstrap'),
    workload: text('workload'),
    app: text('app'),
    state: text('state'),
    input: text('input'),
    output: text('output'),
    table: text('table'),
    threads: Number(text('threads')),
  }
}
