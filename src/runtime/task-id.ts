/** A task is one partition of one sub-topology: the unit of order, state and commit. */

export interface TaskId {
  readonly subTopology: number
  readonly partition: number
}

/** `<sub-topology>_<partition>`, as Kafka Streams writes it. */
export function taskName(id: TaskId): string {
  return `${id.subTopology}_${id.partition}`
}
