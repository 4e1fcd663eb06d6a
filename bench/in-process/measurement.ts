/** What the record path costs without a broker, and by hand. Their ratio hardly depends on the machine. */

/** CPU seconds per million records, the least of several rounds: what else the machine does only adds. */
export interface InProcess {
  readonly floor: number
  readonly engineInMemory: number
  readonly engineOnDisk: number
  /** engineOnDisk / floor. */
  readonly ratioToFloor: number
}

/** Two measurements as one of all their rounds. */
export function leastOf(a: InProcess, b: InProcess): InProcess {
  const floor = Math.min(a.floor, b.floor)
  const engineInMemory = Math.min(a.engineInMemory, b.engineInMemory)
  const engineOnDisk = Math.min(a.engineOnDisk, b.engineOnDisk)
  return { floor, engineInMemory, engineOnDisk, ratioToFloor: engineOnDisk / floor }
}
