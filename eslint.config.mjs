import tseslint from 'typescript-eslint';

/** One importer a driver: the rooms inside know none of them (design, "Rooms"). */
const drivers = {
  'drachtio-srf': 'src/sip',
  'drachtio-fsmrf': 'src/media',
  modesl: 'src/media',
  ioredis: 'src/redis',
  fastify: 'src/http',
  'prom-client': 'src/observe',
  pino: 'src/observe',
  '@photostructure/sqlite': 'src/ledger',
  yaml: 'src/directory',
};

const forbid = (names) => ({
  'no-restricted-imports': [
    'error',
    { paths: names.map((name) => ({ name, message: `only ${drivers[name]} imports ${name}` })) },
  ],
});

export default tseslint.config(
  { ignores: ['dist/**', 'data/**', 'node_modules/**'] },
  {
    files: ['src/**/*.ts', 'test/**/*.ts', 'tag/**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './tag/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'no-console': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      complexity: ['error', 25],
      'max-lines': ['error', { max: 450, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ['src/**/*.ts'], rules: forbid(Object.keys(drivers)) },
  ...[...new Set(Object.values(drivers))].map((room) => ({
    files: [`${room}/**/*.ts`],
    rules: forbid(Object.keys(drivers).filter((name) => drivers[name] !== room)),
  })),
  {
    files: ['test/**/*.ts'],
    // tap hands every test a promise-returning body and waits for it; its methods are not bound.
    rules: {
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/require-await': 'off',
      'max-lines': 'off',
    },
  },
);
