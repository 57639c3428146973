/** Reads what `global-setup.ts` has told the tests. */
export function fromSetup(
  name: 'TEST_DATABASE_URL' | 'TEST_TEMPORAL_ADDRESS' | 'TEST_TEMPORAL_PROGRAM' | 'TEST_COMPILE_CACHE',
): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is not set: this runs under jest, with tests/support/global-setup.ts`);
  return value;
}
