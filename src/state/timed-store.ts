/** What stores on an overlay whose rows go by stream time do alike: what they hold in memory, and how writes and time go through a commit. */

import type { Overlay } from './overlay.ts'
import type { AppendRow, ByteWrite } from './store.ts'

export abstract class TimedStore<K, V> {
  readonly isTimed = true
  streamTime = -1
  /** Stream time at the last settle: what the checkpoint says. */
  protected settledTime = -1
  #sealedTime = -1
  protected abstract readonly overlay: Overlay<K, V>

  /** Raises the stream time to one that is committed: that of a checkpoint, or of restored rows. */
  recoverStreamTime(streamTime: number): void {
    if (streamTime > this.settledTime) this.settledTime = streamTime
    if (streamTime > this.streamTime) this.streamTime = streamTime
  }

  get uncommittedBytes(): number {
    return this.overlay.uncommittedBytes
  }

  get cachedRows(): number {
    return this.overlay.rows
  }

  get unflushedRows(): number {
    return this.overlay.unflushedRows
  }

  get unflushedBytes(): number {
    return this.overlay.unflushedBytes
  }

  /** The stream time of this moment belongs to the seal: the checkpoint of the same commit must carry it. */
  seal(append: AppendRow): void {
    this.overlay.seal(append)
    this.#sealedTime = this.streamTime
  }

  settle(): void {
    this.overlay.settle()
    this.settledTime = this.#sealedTime
  }

  flush(writes: ByteWrite[]): void {
    this.overlay.flush(writes, 0)
  }

  flushed(): void {
    this.overlay.flushed()
  }

  /** A store that keeps more in memory forgets that too. */
  discard(): void {
    this.overlay.clear()
    this.#sealedTime = this.settledTime
    this.streamTime = this.settledTime
  }
}
