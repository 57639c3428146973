import { Listr } from 'listr2';

export type Step = { title: string; run(say: (text: string) => void): Promise<void> };

/** Runs steps at the same time and shows how they get on: drawn on a terminal, as plain lines elsewhere. Rejects with the first failure. */
export async function runSteps(steps: readonly Step[], terminal: boolean): Promise<void> {
  const list = new Listr(
    steps.map(({ title, run }) => ({
      title,
      task: (_context, task) =>
        run((text) => (terminal ? (task.output = text) : (task.title = `${title}: ${text}`))),
    })),
    {
      concurrent: true,
      exitOnError: true,
      // Ending in order is our own business.
      registerSignalListeners: false,
      fallbackRendererCondition: !terminal,
      renderer: 'default',
      fallbackRenderer: 'simple',
    },
  );
  await list.run();
}
