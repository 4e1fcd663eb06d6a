/** How an operator asks to be called when a time has come rather than a record (Kafka Streams: Punctuator). */

/** `stream-time` moves with the records of the task, `wall-clock-time` with the clock. */
export type PunctuationType = 'stream-time' | 'wall-clock-time'

/** @param time that made it due: the task's stream time, or the clock's, ms. It may be past several intervals. */
export type Punctuate = (time: number) => void

/** For as long as the task lives; first and next times are those of `Punctuations`. */
export type Schedule = (type: PunctuationType, intervalMs: number, punctuate: Punctuate) => void
