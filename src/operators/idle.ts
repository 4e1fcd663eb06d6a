/**
 * How an operator that waits for stream time is told that none will come for now: all inputs of its task are at their end and have been quiet
 * (`idleClose` of a topology).
 */

/**
 * Passes on what the operator holds, and moves its stream time to where that is due.
 * @returns whether it held anything: a second call without records between finds nothing.
 */
export type CloseIdle = () => boolean

/** Asks to be told, for as long as the task lives. */
export type OnIdle = (close: CloseIdle) => void
