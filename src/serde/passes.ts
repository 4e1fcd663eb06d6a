/** The bytes of passes: what a limiter keeps of a key. */

import { type ByteTarget, deserializeWith, serializeWith } from '../common/bytes.ts'
import { StreamError } from '../common/errors.ts'
import { Passes } from '../common/passes.ts'
import type { Serde } from './serde.ts'

/** The differences, ms, from each time to the one before it and of the first to 0: unsigned LEB128, mostly a byte or two each. */
export const passes: Serde<Passes> = Object.freeze({
  format: 'passes',
  primitive: false,
  serialize: serializeWith(({ times }: Passes, target: ByteTarget): void => {
    let before = 0
    for (const time of times) {
      writeVarint(time - before, target)
      before = time
    }
  }),
  deserialize: deserializeWith((source: Buffer, start: number, end: number): Passes => {
    const times: number[] = []
    let time = 0
    let place = 1
    let difference = 0
    for (let at = start; at < end; at++) {
      const byte = source[at] as number
      difference += (byte & 0x7f) * place
      place *= 0x80
      if (byte >= 0x80) continue
      time += difference
      times.push(time)
      place = 1
      difference = 0
    }
    if (place !== 1 || !Number.isSafeInteger(time)) {
      throw new StreamError('DESERIALIZATION', `${end - start} bytes are no passes`)
    }
    return new Passes(times)
  }),
})

const mostVarintBytes = 8

function writeVarint(value: number, target: ByteTarget): void {
  let at = target.reserve(mostVarintBytes)
  const { buffer } = target
  let rest = value
  while (rest >= 0x80) {
    buffer[at++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  buffer[at++] = rest
  target.length = at
}
