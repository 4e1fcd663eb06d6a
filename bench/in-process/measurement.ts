/** What the record path costs without a broker, and by hand. Their ratio hardly depends on the machine. */

/** CPU seconds per million records, the least of several rounds: what else the machine does only adds. */
export interface InProcess {
  readonly floor: number
  readonly engineInMemory: number
  readonly engineOnDisk: number
  /** engineOnDisk / floor. */
  readonly ratioToFloor: number
}
