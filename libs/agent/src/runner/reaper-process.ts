/** Told over stdin which process groups there are (`+123`, `-123`). Its end, which is the agent's, is the end of those that are left. */
import { createInterface } from 'node:readline';

const groups = new Set<number>();
for await (const line of createInterface({ input: process.stdin })) {
  const group = Number(line.slice(1));
  if (line.startsWith('+')) groups.add(group);
  else groups.delete(group);
}
for (const group of groups) {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // It has ended with the agent.
  }
}
