/** A point's topology as a file, which each engine thread loads for itself; STREAMCTL_GROWTH_POINT holds the point's spec. */

import { type PointSpec, pointOf } from './spec.ts'

const spec = JSON.parse(process.env.STREAMCTL_GROWTH_POINT ?? '{}') as PointSpec

export default pointOf(spec).topology(spec)
