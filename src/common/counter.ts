/** A number that is bumped on the record path and read once a second. */
export interface Counter {
  count: number
}
