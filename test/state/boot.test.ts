import { expect, test } from 'vitest'
import { readBootId } from '../../src/state/boot.ts'

test('the boot id is the same twice, and null where there is none', () => {
  expect(readBootId()).toBe(readBootId())
  expect(readBootId('/nowhere/boot_id')).toBeNull()
})
