/**
 * Which part of the engine a function is: by its file, and where a file does several things by its name. What has no rule
 * (Node's internals, native code, V8's builtins) works for whoever called it, and is counted there.
 */

import type { Frame } from './frame.ts'

/** In the order of a report, which is a record's way. */
export const parts = [
  'decode, CRC',
  'JSON parse',
  'JSON stringify',
  'UTF-8',
  'serdes',
  'operators, task loop',
  "user's functions",
  'state overlay',
  'LevelDB',
  'batch encode',
  'Kafka client',
  'Buffer objects',
  'garbage collection',
  'loading modules',
  'bench itself',
  'other',
] as const

export type Part = (typeof parts)[number]

interface Rule {
  readonly part: Part
  readonly path: RegExp
  /** Of the function; every function of the file where it is missing. */
  readonly name?: RegExp
}

/** Node has its Buffer in two files; some of it is native. */
const buffer = /^node:(internal\/)?buffer$/
const bufferOrNative = /^(node:(internal\/)?buffer)?$/

/** The first that fits counts. */
const rules: readonly Rule[] = [
  { part: 'garbage collection', path: /^$/, name: /^\(garbage collector\)$/ },
  { part: 'other', path: /^$/, name: /^\((program|root)\)$/ },
  { part: 'JSON parse', path: /^$/, name: /^parse$/ },
  { part: 'JSON stringify', path: /^$/, name: /^stringify$/ },
  {
    part: 'UTF-8',
    path: bufferOrNative,
    name: /^((utf8|latin1|ascii)(Slice|Write)|byteLengthUtf8|isUtf8$|isWellFormed$)/,
  },
  { part: 'UTF-8', path: buffer, name: /^(toString|from|fromString|byteLength)/ },
  {
    part: 'Buffer objects',
    path: bufferOrNative,
    name: /^(FastBuffer|Uint8Array|ArrayBuffer|subarray|adjustOffset|allocate|allocUnsafe|createUnsafe|createPool|alignPool)/,
  },

  { part: 'JSON parse', path: /^src\/serde\/json/, name: /^(parse|deserialize|decode|read)/i },
  { part: 'JSON stringify', path: /^src\/serde\/json/ },
  { part: 'UTF-8', path: /^src\/serde\/(text|string)\.ts$/ },
  { part: 'UTF-8', path: /^src\/common\/bytes\.ts$/, name: /^writeText$/ },
  { part: 'serdes', path: /^src\/serde\// },
  { part: 'operators, task loop', path: /^src\/(operators|runtime|metrics)\// },
  { part: 'LevelDB', path: /^src\/state\/level\.ts$/ },
  { part: 'state overlay', path: /^src\/state\// },
  { part: 'batch encode', path: /^src\/broker\/kafka\/(record-batch\/encode|accumulator)/ },
  { part: 'decode, CRC', path: /^src\/broker\/kafka\/(record-batch\/|partition-reader|aborted)/ },
  { part: 'Kafka client', path: /^(src\/broker\/|node_modules\/kafkajs\/|node:(net|tls)$)/ },
  { part: 'LevelDB', path: /^node_modules\/(classic-level|abstract-level|level-\w+)\// },
  // WebAssembly is what strips types.
  { part: 'loading modules', path: /^(node:internal\/(modules|deps|bootstrap)\/|wasm:)/ },
  { part: "user's functions", path: /^bench\/workloads\// },
  { part: 'bench itself', path: /^bench\// },
]

/** @param callers the caller's part. */
export function partOf({ path, name }: Frame, callers: Part): Part {
  return rules.find((rule) => rule.path.test(path) && (rule.name?.test(name) ?? true))?.part ?? callers
}
