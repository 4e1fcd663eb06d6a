/** Which partition a key belongs to: murmur2 as Kafka's Java client computes it, so that co-partitioned topics of any writer agree. */

const m = 0x5bd1e995
const seed = 0x9747b28c | 0

/** 32-bit murmur2 of the bytes [start, end) (org.apache.kafka.common.utils.Utils.murmur2). */
export function murmur2(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let h = seed ^ (end - start)
  let i = start
  for (; i + 4 <= end; i += 4) {
    let k =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24)
    k = Math.imul(k, m)
    k ^= k >>> 24
    k = Math.imul(k, m)
    h = Math.imul(h, m) ^ k
  }
  const tail = end - i
  if (tail >= 3) h ^= (bytes[i + 2] as number) << 16
  if (tail >= 2) h ^= (bytes[i + 1] as number) << 8
  if (tail >= 1) h = Math.imul(h ^ (bytes[i] as number), m)
  h ^= h >>> 13
  h = Math.imul(h, m)
  return h ^ (h >>> 15)
}

/** Partition of a key's bytes among `count` partitions (BuiltInPartitioner.partitionForKey). */
export function partitionOf(bytes: Uint8Array, count: number, start = 0, end = bytes.length): number {
  return (murmur2(bytes, start, end) & 0x7fffffff) % count
}
