/** What the measurements of operators give, and what is derived of them. */

/** Of the process that measures: per record read. */
export interface Measured {
  /** CPU of the main thread, garbage collections included; the median of several rounds. */
  readonly nanoseconds: number
  /** On V8's heap, garbage included. */
  readonly bytes: number
}

export interface OperatorResult extends Measured {
  readonly name: string
  /** The case that has all of it but the operator; none for the first of all. */
  readonly over: string | undefined
  /** What is over that case. */
  readonly own: Measured
}

export interface WidthResult {
  readonly name: string
  readonly summary: string
  readonly narrowMs: number
  readonly wideMs: number
  readonly narrow: Measured
  readonly wide: Measured
  /** Nanoseconds at the wide window / at the narrow one. */
  readonly ratio: number
}

/** A record may cost so much more where so much more state lies in the window: caches are missed, logarithms grow. */
export const ratioLimit = 2

export function operatorResults(
  measured: ReadonlyMap<string, Measured>,
  overOf: (name: string) => string | undefined,
): readonly OperatorResult[] {
  return [...measured].map(([name, { nanoseconds, bytes }]) => {
    const over = overOf(name)
    const base = over === undefined ? undefined : measured.get(over)
    const own = { nanoseconds: nanoseconds - (base?.nanoseconds ?? 0), bytes: bytes - (base?.bytes ?? 0) }
    return { name, over, nanoseconds, bytes, own }
  })
}
