import { expect, test } from 'vitest'
import { FlagError, readFlags } from '../../bench/flags.ts'

test('without --growth the workloads are measured, with two million records', () => {
  expect(readFlags([])).toMatchObject({ growth: undefined, records: 2_000_000 })
})

test('--growth takes every axis at full size; --axes and --records pick and shorten', () => {
  const { growth } = readFlags(['--growth'])
  expect(growth).toMatchObject({ records: 500_000, kafka: false, plots: undefined, json: false })
  expect(growth?.axes.map(({ name }) => name)).toEqual([
    'keys',
    'partitions',
    'windows-per-record',
    'open-windows',
    'record-size',
    'hot-key',
    'chain',
    'workers',
  ])
  const picked = readFlags(['--growth', '--axes', 'chain,workers', '--kafka', '--records', '2000']).growth
  expect(picked?.axes.map(({ name }) => name)).toEqual(['chain', 'workers'])
  expect(picked).toMatchObject({ records: 2_000, kafka: true })
})

test.each([
  [['--axes', 'keys'], '--axes goes with --growth'],
  [['--kafka'], '--kafka goes with --growth'],
  [['--plots', 'docs/growth'], '--plots goes with --growth'],
  [['--growth', '--in-process'], '--growth is not together with --in-process'],
  [['--growth', '--only', 'rekey'], '--growth is not together with --only'],
  [['--growth', '--axes', 'key'], '--axes: there is no axis key; there are keys, partitions'],
  [['--growth', '--axes', 'workers'], '--axes: workers is measured with --kafka only'],
  [['--growth', '--records', '0'], '--records takes a whole number above 0, not 0'],
])('%j is refused in words', (args, message) => {
  expect(() => readFlags(args)).toThrow(FlagError)
  expect(() => readFlags(args)).toThrow(message)
})
