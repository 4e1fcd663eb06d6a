/** The four codecs a record batch may name, each with a limit on what it unpacks to, because a small batch may hold gigabytes. */

import zlib from 'node:zlib'
import { StreamError } from '../../../common/errors.ts'
import { attribute, type BatchOrigin, corrupt } from './layout.ts'
import { toLz4, unlz4 } from './lz4.ts'
import { toSnappy, unsnappy } from './snappy.ts'

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** By the number in a batch's attributes. */
const names: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** Bytes one batch may unpack to when nothing else is said: 64 MiB. */
export const defaultMaxUnpackedBytes = 64 * 1024 * 1024

export function compressionNumber(compression: Compression): number {
  return names.indexOf(compression)
}

export function compress(compression: Compression, records: Buffer): Buffer {
  switch (compression) {
    case 'none':
      return records
    case 'gzip':
      return zlib.gzipSync(records)
    case 'snappy':
      return toSnappy(records)
    case 'lz4':
      return toLz4(records)
    case 'zstd':
      return zlib.zstdCompressSync(records)
  }
}

/** `null` when there would be more than `maxBytes`. */
function unpack(compression: Compression, packed: Buffer, maxBytes: number): Buffer | null {
  switch (compression) {
    case 'none':
      return packed
    case 'gzip':
      return limited(() => zlib.gunzipSync(packed, { maxOutputLength: maxBytes }))
    case 'snappy':
      return unsnappy(packed, maxBytes)
    case 'lz4':
      return unlz4(packed, maxBytes)
    case 'zstd':
      return limited(() => zlib.zstdDecompressSync(packed, { maxOutputLength: maxBytes }))
  }
}

function limited(inflate: () => Buffer): Buffer | null {
  try {
    return inflate()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return null
    throw error
  }
}

/**
 * Records of a batch, unpacked as its attributes say.
 * @throws StreamError CORRUPT when they do not unpack, or to more than `maxBytes`; UNSUPPORTED_VERSION for an unknown codec.
 */
export function decompress(
  attributes: number,
  packed: Buffer,
  maxBytes: number,
  origin: BatchOrigin,
  baseOffset: number,
): Buffer {
  const number = attributes & attribute.compression
  if (number === 0) return packed
  const compression = names[number]
  if (compression === undefined) {
    throw new StreamError(
      'UNSUPPORTED_VERSION',
      `the record batch at offset ${baseOffset} of ${origin.topic}-${origin.partition} is compressed by codec ${number}, which is not known`,
      { where: { ...origin, offset: baseOffset } },
    )
  }
  let unpacked: Buffer | null
  try {
    unpacked = unpack(compression, packed, maxBytes)
  } catch (error) {
    throw corrupt(origin, baseOffset, `its ${compression} data cannot be unpacked`, error)
  }
  if (unpacked === null) {
    throw corrupt(
      origin,
      baseOffset,
      `its ${packed.length} bytes of ${compression} unpack to more than ${maxBytes} bytes`,
    )
  }
  return unpacked
}
