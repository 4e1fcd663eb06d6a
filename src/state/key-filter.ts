/**
 * Which keys the byte store may hold, in memory: a key that it says no to is nowhere, and needs no look-up on disk. A Bloom filter in layers, each
 * four times the one before (P. S. Almeida et al., Scalable Bloom Filters). Keys only come in: one that was deleted is looked up in vain. With more
 * keys than it has room for it says yes to all.
 */

import { murmur3 } from '../common/hash.ts'

const firstBits = 1 << 16
const growth = 4
/** Of the last layer: 2 MiB, for 1.7 million keys. */
const lastBits = 1 << 24
/** So that a full layer takes one key in a hundred for another. */
const bitsPerKey = 10
const probes = 5

interface Layer {
  readonly words: Uint32Array
  readonly mask: number
  /** Keys that it takes before the next layer. */
  room: number
}

export class KeyFilter {
  /** The newest first; none any more where there were too many keys. */
  #layers: readonly Layer[] | undefined = [layerOf(firstBits)]

  /** The byte store holds the key [start, end) of `bytes`, or will. */
  add(bytes: Buffer, start: number, end: number): void {
    const hash = murmur3(bytes, start, end, 0)
    if (this.#layers === undefined || hasAny(this.#layers, hash)) return
    let [layer] = this.#layers as readonly [Layer]
    if (layer.room === 0) {
      const bits = (layer.mask + 1) * growth
      if (bits > lastBits) {
        this.#layers = undefined
        return
      }
      layer = layerOf(bits)
      this.#layers = [layer, ...this.#layers]
    }
    layer.room--
    set(layer, hash)
  }

  /** false: the byte store does not hold the key [start, end) of `bytes`. */
  mayHave(bytes: Buffer, start: number, end: number): boolean {
    return this.#layers === undefined || hasAny(this.#layers, murmur3(bytes, start, end, 0))
  }
}

function layerOf(bits: number): Layer {
  return { words: new Uint32Array(bits >>> 5), mask: bits - 1, room: Math.floor(bits / bitsPerKey) }
}

function hasAny(layers: readonly Layer[], hash: number): boolean {
  for (const layer of layers) if (has(layer, hash)) return true
  return false
}

function has({ words, mask }: Layer, hash: number): boolean {
  const step = stepOf(hash)
  for (let probe = 0, bit = hash; probe < probes; probe++, bit += step) {
    const at = bit & mask
    if (((words[at >>> 5] as number) & (1 << (at & 31))) === 0) return false
  }
  return true
}

function set({ words, mask }: Layer, hash: number): void {
  const step = stepOf(hash)
  for (let probe = 0, bit = hash; probe < probes; probe++, bit += step) {
    const at = bit & mask
    words[at >>> 5] = (words[at >>> 5] as number) | (1 << (at & 31))
  }
}

/** From one bit of a key to its next; odd, so that they differ. */
function stepOf(hash: number): number {
  return (Math.imul(hash, 0x9e3779b1) >>> 8) | 1
}
