/** The borders of the rooms (design, "Rooms"): arrows point inwards, and nothing goes round in a circle. */
const inner = '^src/(numbers|routing|calls|directory)/';
const adapters = '^src/(redis|sip|media|ledger|http|standalone|main|cli)';
module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'inner-rooms-know-no-adapter',
      severity: 'error',
      comment: 'numbers, routing, calls and directory declare ports; adapters implement them',
      from: { path: inner },
      to: { path: adapters },
    },
    {
      name: 'standalone-knows-nothing-of-the-application',
      severity: 'error',
      comment: 'the standalone servers stand for programs of other people',
      from: { path: '^src/standalone/' },
      to: { path: '^src/', pathNot: '^src/standalone/' },
    },
    {
      name: 'application-knows-nothing-of-standalone',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(standalone|cli|commands|start)' },
      to: { path: '^src/standalone/' },
    },
    {
      name: 'simulation-drives-the-numbers-alone',
      severity: 'error',
      comment: 'visitors and callers on a clock know the allocator, and no adapter of it',
      from: { path: '^src/simulation/' },
      to: { path: '^src/', pathNot: '^src/(simulation|numbers|directory/model)' },
    },
    {
      name: 'nobody-needs-the-simulation',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(simulation|commands)/' },
      to: { path: '^src/simulation/' },
    },
    { name: 'no-test-in-source', severity: 'error', from: { path: '^src/' }, to: { path: '^test/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
