/**
 * Walks a record's bytes along its schema before avsc reads them. avsc trusts lengths: past the end it reads zeros, and
 * a block that says it holds 2^62 items is believed. What has passed here ends inside its bytes, within 200 levels.
 */

import { isUtf8 } from 'node:buffer'
import type { Type, types } from 'avsc'
import { messageOf, StreamError } from '../common/errors.ts'
import { byteCount } from './text.ts'

/** Where a walk stands. */
interface Cursor {
  readonly bytes: Buffer
  pos: number
  depth: number
}

type Step = (at: Cursor) => void

const maxDepth = 200
/** Items that take no bytes cannot be bounded by the bytes that are left. */
const maxEmptyItems = 65_536

/** What the bytes break, and where in the record. */
class Fault extends Error {
  readonly path: string[] = []
}

/**
 * Compiles a schema into the check of its bytes, from `start` to their end.
 * The check throws StreamError DESERIALIZATION that names the field.
 */
export function boundsCheck(type: Type, what: string): (bytes: Buffer, start: number) => void {
  const step = stepOf(type, new Map())
  return (bytes, start) => {
    const at: Cursor = { bytes, pos: start, depth: 0 }
    try {
      step(at)
      if (at.pos !== bytes.length) throw new Fault(`${byteCount(bytes.length - at.pos)} too many at the end`)
    } catch (thrown) {
      const path = thrown instanceof Fault ? thrown.path.reverse().join('') : ''
      throw new StreamError(
        'DESERIALIZATION',
        `not ${what}${path && ` at ${path.replace(/^\./, '')}`}: ${messageOf(thrown)}`,
        {
          hint: 'Was the record written with this schema? Read the topic with `bytes` to see what it holds.',
        },
      )
    }
  }
}

function stepOf(type: Type, known: Map<Type, Step>): Step {
  const same = known.get(type)
  if (same !== undefined) return same
  // A schema may hold itself: what refers back to it here finds it compiled later.
  let compiled: Step | undefined
  known.set(type, (at) => (compiled as Step)(at))
  compiled = compile(type, known)
  known.set(type, compiled)
  return compiled
}

function compile(type: Type, known: Map<Type, Step>): Step {
  switch (type.typeName) {
    case 'null':
      return () => {}
    case 'boolean':
      return (at) => {
        const byte = at.bytes[at.pos]
        if (byte === undefined) throw truncated(1, 0)
        if (byte > 1) throw new Fault(`a boolean is 0 or 1, not ${byte}`)
        at.pos++
      }
    case 'int':
      return int
    case 'long':
    case 'abstract:long':
      return long
    case 'float':
      return (at) => skip(at, 4)
    case 'double':
      return (at) => skip(at, 8)
    case 'bytes':
      return (at) => skip(at, length(at))
    case 'string':
      return text
    case 'fixed': {
      const { size } = type as types.FixedType
      return (at) => skip(at, size)
    }
    case 'enum': {
      const count = (type as types.EnumType).symbols.length
      return (at) => {
        const index = varint(at)
        if (!(index >= 0 && index < count)) throw new Fault(`symbol ${index} of an enum of ${count}`)
      }
    }
    case 'union:wrapped':
    case 'union:unwrapped': {
      const branches = (type as types.UnwrappedUnionType).types.map((branch) => stepOf(branch, known))
      return (at) => {
        const index = varint(at)
        const branch = branches[index]
        if (branch === undefined) throw new Fault(`branch ${index} of a union of ${branches.length}`)
        branch(at)
      }
    }
    case 'record':
    case 'error':
      return record(type as types.RecordType, known)
    case 'array': {
      const { itemsType } = type as types.ArrayType
      return blocks(stepOf(itemsType, known), leastBytes(itemsType, new Map()))
    }
    case 'map': {
      const value = stepOf((type as types.MapType).valuesType, known)
      const entry: Step = (at) => {
        key(at)
        value(at)
      }
      return blocks(entry, 1)
    }
    default:
      throw new StreamError('INTERNAL', `no bounds are known for the Avro type ${type.typeName}`)
  }
}

function record(type: types.RecordType, known: Map<Type, Step>): Step {
  const fields = type.fields.map((field) => ({ name: field.name, step: stepOf(field.type, known) }))
  return (at) => {
    let i = 0
    if (++at.depth > maxDepth) throw new Fault(`nested deeper than ${maxDepth}`)
    try {
      for (; i < fields.length; i++) (fields[i] as (typeof fields)[0]).step(at)
    } catch (thrown) {
      if (thrown instanceof Fault && thrown.path.length < 20) thrown.path.push(`.${fields[i]?.name}`)
      throw thrown
    }
    at.depth--
  }
}

/** Blocks of items, each with its count; a negative count is followed by the block's length in bytes. The last is 0. */
function blocks(item: Step, least: number): Step {
  return (at) => {
    if (++at.depth > maxDepth) throw new Fault(`nested deeper than ${maxDepth}`)
    for (let count = varint(at); count !== 0; count = varint(at)) {
      const length = count < 0 ? varint(at) : undefined
      if (count < 0) count = -count
      const end = at.pos + (length ?? 0)
      const left = at.bytes.length - at.pos
      if (least === 0 ? count > maxEmptyItems : count > left / least) {
        throw new Fault(`a block of ${count} items, with ${byteCount(left)} left`)
      }
      for (let i = 0; i < count; i++) item(at)
      if (length !== undefined && at.pos !== end)
        throw new Fault(`a block of ${length} bytes that has ${length + at.pos - end}`)
    }
    at.depth--
  }
}

function skip(at: Cursor, size: number): void {
  const left = at.bytes.length - at.pos
  if (size > left) throw truncated(size, left)
  at.pos += size
}

function length(at: Cursor): number {
  const size = varint(at)
  if (size < 0) throw new Fault(`a length of ${size}`)
  return size
}

function text(at: Cursor): void {
  const size = length(at)
  const from = at.pos
  skip(at, size)
  const { bytes } = at
  // Short ASCII, the usual case, is done before a native call would begin.
  if (size <= 32) {
    let i = from
    while (i < at.pos && (bytes[i] as number) < 0x80) i++
    if (i === at.pos) return
  }
  if (!isUtf8(bytes.subarray(from, at.pos))) throw new Fault('a string that is not UTF-8')
}

function key(at: Cursor): void {
  const from = at.pos
  text(at)
  // avsc would set the prototype of the map instead of an entry.
  if (at.pos - from === 10 && at.bytes.toString('latin1', from + 1, at.pos) === '__proto__') {
    throw new Fault('a map key "__proto__", which cannot be read safely')
  }
}

function int(at: Cursor): void {
  const n = varint(at)
  if (n !== (n | 0)) throw new Fault(`${n} is no 32-bit integer`)
}

function long(at: Cursor): void {
  varint(at)
}

/** A zig-zag number of at most 64 bits; beyond 2^53 it is rounded, which is near enough to refuse a length. */
function varint(at: Cursor): number {
  const { bytes } = at
  let b = bytes[at.pos]
  if (b === undefined) throw new Fault('the bytes end before a number')
  at.pos++
  if (b < 0x80) return (b >>> 1) ^ -(b & 1)
  let n = b & 0x7f
  let scale = 128
  for (let i = 1; ; i++) {
    b = bytes[at.pos]
    if (b === undefined) throw new Fault('the bytes end inside a number')
    at.pos++
    n += (b & 0x7f) * scale
    if (b < 0x80) {
      if (i === 9 && b > 1) throw new Fault('a number of more than 64 bits')
      break
    }
    if (i === 9) throw new Fault('a number of more than 64 bits')
    scale *= 128
  }
  return n % 2 === 1 ? -(n + 1) / 2 : n / 2
}

function truncated(size: number, left: number): Fault {
  return new Fault(`${byteCount(size)} expected, ${left} left`)
}

/** The fewest bytes a value of the type can take; a type inside itself counts as none. */
function leastBytes(type: Type, known: Map<Type, number>): number {
  switch (type.typeName) {
    case 'null':
      return 0
    case 'float':
      return 4
    case 'double':
      return 8
    case 'fixed':
      return (type as types.FixedType).size
    case 'record':
    case 'error': {
      let sum = known.get(type)
      if (sum !== undefined) return sum
      known.set(type, 0)
      sum = (type as types.RecordType).fields.reduce((total, field) => total + leastBytes(field.type, known), 0)
      known.set(type, sum)
      return sum
    }
    default:
      return 1
  }
}
