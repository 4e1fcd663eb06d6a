/** The workload's topology as a file, which each engine thread loads for itself; STREAMCTL_BENCH_RUN holds the run's arguments. */

import { readArguments } from './sides/arguments.ts'
import { workloads } from './workloads.ts'

const spec = readArguments(JSON.parse(process.env.STREAMCTL_BENCH_RUN ?? '[]') as string[])
const kind = workloads.get(spec.workload)
if (kind === undefined) throw new Error(`no workload ${spec.workload}`)

export default kind.make(spec).topology
