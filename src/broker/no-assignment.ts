/** What a member of a group has that its leader left out. */

import type { MemberAssignment } from './port.ts'

export const noAssignment: MemberAssignment = Object.freeze({ partitions: [], userData: Buffer.alloc(0) })
