/** Runs once after all tests, whatever became of them. */
export default async function globalTeardown(): Promise<void> {
  await globalThis.perdureTestServers?.stop();
}
