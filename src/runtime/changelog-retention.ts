/**
 * How far a window store's changelog can be deleted, by stream time. A broker that deletes by record timestamp would delete
 * the changelog of anybody who processes old data, so the topics have no retention in time and the engine deletes what no
 * record can reach any more: everything written while stream time was at most T is closed once stream time is T + size + grace.
 */

interface Sample {
  readonly streamTime: number
  /** Changelog offset after the commit that was sealed at that stream time. */
  readonly offset: number
}

/** Samples kept per retention: the changelog outlives its windows by at most one part of this many. */
const samplesPerRetention = 8

export class ChangelogRetention {
  readonly #retentionMs: number
  readonly #samples: Sample[] = []
  #expiryTime = -1

  /** @param retentionMs window size + grace. */
  constructor(retentionMs: number) {
    this.#retentionMs = retentionMs
  }

  /**
   * A commit, sealed at this stream time, has ended; the changelog's next offset is then `offset`.
   * @param expiryTime what decides by now which rows are gone. Default stream time.
   */
  committed(streamTime: number, offset: number, expiryTime: number = streamTime): void {
    this.#expiryTime = expiryTime
    const last = this.#samples.at(-1)
    if (last !== undefined && streamTime - last.streamTime < this.#retentionMs / samplesPerRetention) return
    this.#samples.push({ streamTime, offset })
  }

  /** Everything before this offset belongs to closed windows; undefined when nothing new does. */
  takeExpired(): number | undefined {
    let expired: number | undefined
    for (let first = this.#samples[0]; first !== undefined; first = this.#samples[0]) {
      if (first.streamTime + this.#retentionMs > this.#expiryTime) break
      expired = first.offset
      this.#samples.shift()
    }
    return expired
  }
}
