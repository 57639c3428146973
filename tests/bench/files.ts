import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { largeBytes, MiB } from '../support/large-bytes.ts';
import type { Plan } from './arguments.ts';
import type { RunningApi } from './programs.ts';

type Way = 'up' | 'tus' | 'down' | 'bareUp' | 'bareDown';
/** MiB in a second. */
export type Files = { size: number } & Record<Way, number>;

/** A file of the bare server and one of ours, and while an upload in pieces ends, its parts and what they become. */
const copies = 4;

/** One large file up, up in pieces, and down; and the same through the server that does nothing else. */
export async function fileRound(
  { origin, key }: RunningApi,
  bareOrigin: string,
  folder: string,
  { fileBytes: size }: Plan,
  signal: AbortSignal,
): Promise<Files> {
  await requireSpace(folder, copies * size);
  const bytes = largeBytes();
  const ask = async (method: string, url: string, headers: Record<string, string> = {}, body = false) => {
    const answer = await fetch(url, {
      method,
      signal,
      headers: { authorization: `Bearer ${key}`, ...headers },
      ...(body ? { body: bytes.stream(0, size), duplex: 'half' } : {}),
    });
    if (!answer.ok) throw new Error(`${method} ${url} was answered ${answer.status}: ${await answer.text()}`);
    return answer;
  };
  const rate = async (work: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await work();
    return size / MiB / ((performance.now() - began) / 1_000);
  };
  const down = async (url: string): Promise<void> => {
    let received = 0;
    for await (const chunk of (await ask('GET', url)).body ?? []) received += chunk.byteLength;
    if (received !== size) throw new Error(`${url} sent ${received} bytes of ${size}`);
  };
  const bareUp = await rate(() => ask('PUT', `${bareOrigin}/file`, {}, true));
  const bareDown = await rate(() => down(`${bareOrigin}/file`));
  let id = '';
  const up = await rate(async () => {
    const answer = await ask('POST', `${origin}/v1/files`, {}, true);
    id = ((await answer.json()) as { id: string }).id;
  });
  const ours = await rate(() => down(`${origin}/v1/files/${id}/content`));
  const tus = await rate(async () => {
    const spoken = { 'tus-resumable': '1.0.0' };
    const begun = await ask('POST', `${origin}/v1/uploads`, { ...spoken, 'upload-length': String(size) });
    const piece = { ...spoken, 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' };
    await ask('PATCH', `${origin}${begun.headers.get('location')}`, piece, true);
  });
  // Each round brings other bytes; the measurement needs room for those of one.
  await rm(join(folder, 'storage', 'objects'), { recursive: true, force: true });
  return { size, up, tus, down: ours, bareUp, bareDown };
}

async function requireSpace(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= needed) return;
  throw new Error(
    `the files need ${needed / MiB} MiB of disk, and ${folder} has ${Math.floor((bavail * bsize) / MiB)}`,
  );
}
