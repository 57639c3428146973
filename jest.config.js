/** Tests run as ES modules on the real servers that `tests/support/global-setup.ts` starts once. */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/{apps,libs,tests}/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/.perdure/'],
  modulePathIgnorePatterns: ['<rootDir>/apps/api/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
  globalSetup: '<rootDir>/tests/support/global-setup.ts',
  globalTeardown: '<rootDir>/tests/support/global-teardown.ts',
  testTimeout: 60_000,
};
