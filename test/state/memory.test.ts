import { MemoryByteStore } from '../../src/state/memory.ts'
import { byteStoreSuite } from '../compliance/byte-store.ts'

byteStoreSuite('memory', { open: async () => new MemoryByteStore() })
