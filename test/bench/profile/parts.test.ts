import { expect, test } from 'vitest'
import type { Frame } from '../../../bench/profile/frame.ts'
import { type Part, partOf } from '../../../bench/profile/parts.ts'

/** From `path name`. */
function frame(text: string): Frame {
  const space = text.indexOf(' ')
  return { path: text.slice(0, space), name: text.slice(space + 1), line: 1 }
}

/** Innermost first, as in a stack trace. */
function partOfStack(...stack: readonly string[]): Part {
  return stack.reduceRight<Part>((callers, text) => partOf(frame(text), callers), 'other')
}

const engine: readonly [function_: string, part: Part][] = [
  ['src/serde/json.ts deserialize', 'JSON parse'],
  ['src/serde/json.ts deserializeFrom', 'JSON parse'],
  ['src/serde/json.ts serialize', 'JSON stringify'],
  ['src/serde/json.ts nonFinite', 'JSON stringify'],
  ['src/serde/text.ts decodeUtf8', 'UTF-8'],
  ['src/serde/string.ts serialize', 'UTF-8'],
  ['src/common/bytes.ts writeText', 'UTF-8'],
  ['src/serde/windowed.ts serialize', 'serdes'],
  ['src/serde/avro.ts deserialize', 'serdes'],
  ['src/operators/filter.ts ', 'operators, task loop'],
  ['src/runtime/task.ts run', 'operators, task loop'],
  ['src/state/overlay.ts #find', 'state overlay'],
  ['src/state/window.ts put', 'state overlay'],
  ['src/state/level.ts get', 'LevelDB'],
  ['node_modules/classic-level/index.js _batch', 'LevelDB'],
  ['node_modules/abstract-level/abstract-level.js #arrayBatch', 'LevelDB'],
  ['node_modules/level-transcoder/lib/encodings.js encode', 'LevelDB'],
  ['src/broker/kafka/record-batch/encode.ts append', 'batch encode'],
  ['src/broker/kafka/accumulator.ts append', 'batch encode'],
  ['src/broker/kafka/record-batch/decode.ts decodeRecords', 'decode, CRC'],
  ['src/broker/kafka/record-batch/checksum.ts batchCrc', 'decode, CRC'],
  ['src/broker/kafka/partition-reader.ts next', 'decode, CRC'],
  ['src/broker/kafka/fetcher.ts poll', 'Kafka client'],
  ['node_modules/kafkajs/src/network/socket.js write', 'Kafka client'],
  ['node:internal/modules/esm/utils compileSourceTextModule', 'loading modules'],
  ['wasm://wasm/00ad0bc6 wasm-function[670]', 'loading modules'],
  ['bench/workloads/windowed.ts add', "user's functions"],
  ['bench/in-process/wire.ts send', 'bench itself'],
]

test.each(engine)('%s is %s, whoever calls it', (called, part) => {
  expect(partOfStack(called)).toBe(part)
  expect(partOfStack(called, 'src/runtime/task.ts run')).toBe(part)
  expect(partOfStack(called, 'src/state/level.ts get')).toBe(part)
})

const builtins: readonly [builtin: string, part: Part][] = [
  [' (garbage collector)', 'garbage collection'],
  [' parse', 'JSON parse'],
  [' stringify', 'JSON stringify'],
  [' utf8Slice', 'UTF-8'],
  [' utf8WriteStatic', 'UTF-8'],
  ['node:buffer toString', 'UTF-8'],
  ['node:buffer from', 'UTF-8'],
  ['node:internal/buffer FastBuffer', 'Buffer objects'],
  [' Uint8Array', 'Buffer objects'],
  ['node:buffer subarray', 'Buffer objects'],
]

test.each(builtins)('the builtin %s is %s in every part', (called, part) => {
  expect(partOfStack(called, 'src/state/overlay.ts #find')).toBe(part)
  expect(partOfStack(called, 'bench/in-process/wire.ts send')).toBe(part)
})

test.each([
  ['native code without a name', ' '],
  ['a method of Map', ' set'],
  ["a number's toString, which is not a Buffer's", ' toString'],
  ['what Node does inside', 'node:internal/buffer writeU_Int32BE'],
  ['a function of src/common', 'src/common/windows.ts firstWindowStart'],
])('%s counts for its caller', (_, called) => {
  expect(partOfStack(called, 'src/state/overlay.ts #find')).toBe('state overlay')
  expect(partOfStack(called, ' ', 'node_modules/classic-level/index.js _batch')).toBe('LevelDB')
  expect(partOfStack(called, 'src/operators/filter.ts ', 'bench/in-process/engine-path.ts cycle')).toBe(
    'operators, task loop',
  )
})

test('what nobody here called is other', () => {
  expect(partOfStack('node:internal/timers processTimers')).toBe('other')
  expect(partOfStack(' (program)', ' (root)')).toBe('other')
})
