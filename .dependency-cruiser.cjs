// The direction of imports: each folder of src names what it may import, everything else is refused, and cycles with it.

/** Folder (or file) of src → what it may import besides itself, as path patterns below src. */
const MAY_IMPORT = {
  common: [],
  serde: ['common/'],
  metrics: ['common/'],
  topology: ['common/', 'serde/', 'metrics/'],
  dsl: ['common/', 'serde/', 'topology/'],
  state: ['common/'],
  operators: ['common/', 'state/'],
  broker: ['common/', 'metrics/'],
  runtime: ['common/', 'serde/', 'metrics/', 'topology/', 'state/', 'operators/', 'broker/port\\.ts$'],
  testing: [
    'common/',
    'serde/',
    'topology/',
    'dsl/',
    'state/',
    'broker/(port|output)\\.ts$',
    'broker/embedded/',
    'metrics/',
    'runtime/',
  ],
}

const direction = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  name: `src/${folder} imports only what stands below it`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: [`^src/${folder}/`, ...allowed.map((path) => `^src/${path}`)] },
}))

/** A package that only the named places may know. */
const onlyIn = (packages, places) => ({
  name: `${packages.join(', ')} only in ${places.join(', ')}`,
  severity: 'error',
  from: { path: '^src/', pathNot: places.map((place) => `^${place}/`) },
  to: { path: packages.map((name) => `(^|/)node_modules/${name}/`) },
})

module.exports = {
  forbidden: [
    // A table gives streams and a stream gives tables: the classes of the facade know each other.
    {
      name: 'no cycles',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/dsl/facade/' },
      to: { circular: true },
    },
    {
      name: 'every folder of src has a rule',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: [`^src/(${[...Object.keys(MAY_IMPORT), 'cli'].join('|')})/`, '^src/(index|testing)\\.ts$'],
      },
      to: {},
    },
    ...direction,
    {
      name: 'the entry points are imported by nothing in src',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/(index|testing)\\.ts$' },
    },
    {
      name: 'src stands alone',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|topologies|tools)/' },
    },
    {
      name: 'topologies know only the public package',
      severity: 'error',
      from: { path: '^topologies/' },
      to: { path: '^src/', pathNot: '^src/(index|testing)\\.ts$' },
    },
    {
      name: 'src imports only runtime dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] },
    },
    { name: 'every import resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
    onlyIn(['kafkajs'], ['src/broker/kafka']),
    onlyIn(['classic-level'], ['src/state', 'src/broker/embedded']),
    onlyIn(['ink', 'react'], ['src/cli/ui']),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'node', 'default'] },
  },
}
