import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

const tests = ['tests/**', '**/*.test.ts', '**/testing/**', '**/test-support.ts'];

/** Two rules of one name for one file do not add up: the later one counts. So each that forbids imports forbids this too. */
const environmentModule = {
  name: 'node:process',
  importNames: ['env', 'default'],
  message: 'Only libs/config reads the environment.',
};

const transitionTable = {
  regex: '(^|/)transitions(\\.ts)?$',
  importNames: ['transition'],
  message: 'Only the workflow decides a status.',
};

/** Where names are forbidden and why. Rooms and their doors are kept by `.dependency-cruiser.js`. */
const environment = {
  name: 'only libs/config reads the environment',
  files: ['apps/**/*.ts', 'libs/**/*.ts', 'examples/**/*.ts'],
  // The command is no process of the service: it has one reader of its own.
  ignores: ['libs/config/**', 'apps/cli/src/environment.ts', ...tests],
  rules: {
    'no-restricted-properties': [
      'error',
      { object: 'process', property: 'env', message: 'Only libs/config reads the environment.' },
    ],
    'no-restricted-imports': ['error', environmentModule],
  },
};

const transitionCaller = {
  name: 'the transition function has one caller',
  files: ['apps/**/*.ts', 'libs/**/*.ts', 'examples/**/*.ts'],
  ignores: ['libs/workflows/src/**', 'libs/job/src/transitions.test.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: [environmentModule],
        patterns: [transitionTable],
      },
    ],
  },
};

const databaseDoor = {
  name: 'in the API the database has one door',
  files: ['apps/api/src/**/*.ts'],
  ignores: ['apps/api/src/database/**', ...tests],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: [
          environmentModule,
          {
            name: '@perdure/store/database',
            importNames: ['openDatabase', 'openTenantDatabases'],
            message: 'Ask through DatabaseService: it says which tenant is seen.',
          },
        ],
        patterns: [transitionTable],
      },
    ],
  },
};

const pure = {
  name: 'the pure files of libs/job know no clock, no chance and no process',
  files: ['libs/job/src/**/*.ts'],
  ignores: tests,
  rules: {
    'no-restricted-globals': [
      'error',
      ...[
        'process',
        'console',
        'crypto',
        'performance',
        'fetch',
        'setTimeout',
        'setInterval',
        'setImmediate',
      ],
    ],
    'no-restricted-properties': [
      'error',
      { object: 'process', property: 'env', message: 'Only libs/config reads the environment.' },
      { object: 'Date', property: 'now', message: 'Times are handed in.' },
      { object: 'Math', property: 'random', message: 'Ids are handed in.' },
    ],
    'no-restricted-syntax': [
      'error',
      { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Times are handed in.' },
    ],
  },
};

export default tseslint.config(
  {
    ignores: [
      '**/dist/',
      '**/node_modules/',
      'coverage/',
      '.perdure/',
      'libs/workflows/histories/',
      'libs/client/src/generated.ts',
    ],
  },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['tsconfig.json', 'apps/api/tsconfig.tests.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      // Style, not bugs: plain objects have methods, and an interface may ask for a promise.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/require-await': 'off',
      // The enums of Temporal's protocol also come as plain numbers and texts.
      '@typescript-eslint/no-unsafe-enum-comparison': 'off',
      // What was caught may be anything, and is passed on as it is.
      '@typescript-eslint/only-throw-error': [
        'error',
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
      '@typescript-eslint/prefer-promise-reject-errors': [
        'error',
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
    },
  },
  {
    name: 'tests look into answers of which they know the form',
    files: tests,
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    name: 'the conformance kit looks into what a server may have got wrong: a check that throws has failed',
    files: ['tests/conformance/**'],
    rules: { '@typescript-eslint/no-unsafe-call': 'off' },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
  environment,
  transitionCaller,
  databaseDoor,
  pure,
);
