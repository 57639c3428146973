import type { ContinueUploadData, CreateUploadData, GetUploadData } from './generated.ts';
import { type Pieces, pieceBytes } from './pieces.ts';
import { PerdureUnreachable } from './problem.ts';
import { isPassing, retrying } from './retry.ts';
import type { Answer, Transport } from './transport.ts';

export type UploadProgress = {
  /** Bytes that the API has. */
  sent: number;
  total: number;
  /** The upload: give it as `resume` to go on with it after this process has ended. */
  upload: string | undefined;
};

type Options = {
  name: string;
  mediaType: string;
  sha256: string | undefined;
  resume: string | undefined;
  onProgress: ((progress: UploadProgress) => void) | undefined;
  signal: AbortSignal | undefined;
};

/** How far an upload has come, and the file that it has become. */
type Place = { offset: number; fileId: string | undefined };

const version = { 'tus-resumable': '1.0.0' };
const mediaType = 'application/offset+octet-stream';
/** Who sends a piece in no shorter time than this is cut off. */
const pieceSeconds = 300;
/** At the end the API reads all of it once more; no slower than this. */
const slowestBytesPerSecond = 10 * 1024 ** 2;

/** Uploads by tus 1.0.0 (https://tus.io/protocols/resumable-upload), and answers the id of the file. What has come is not sent again. */
export async function uploadPieces(
  transport: Transport,
  pieces: Pieces,
  { resume, onProgress, signal, ...file }: Options,
): Promise<string> {
  const upload = resume ?? (await begin(transport, pieces.size, file, signal));
  let place: Place = { offset: 0, fileId: undefined };
  for (let known = resume === undefined; ; known = true) {
    if (known) onProgress?.({ sent: place.offset, total: pieces.size, upload });
    if (place.fileId !== undefined) return place.fileId;
    place = await goOn(transport, upload, pieces, place, { known, signal });
  }
}

/** Repeated, it leaves an upload behind that nobody goes on with: the API drops those. */
async function begin(
  transport: Transport,
  size: number,
  { name, mediaType, sha256 }: Pick<Options, 'name' | 'mediaType' | 'sha256'>,
  signal: AbortSignal | undefined,
): Promise<string> {
  const said = { filename: name, filetype: mediaType, ...(sha256 === undefined ? {} : { sha256 }) };
  const metadata = Object.entries(said).map(
    ([key, value]) => `${key} ${base64(new TextEncoder().encode(value))}`,
  );
  const { headers } = await transport.json<CreateUploadData, void>('POST', '/v1/uploads', {
    headers: { ...version, 'upload-length': String(size), 'upload-metadata': metadata.join() },
    repeatable: true,
    signal,
  });
  const id = headers.get('location')?.split('/').at(-1);
  if (id === undefined) throw new PerdureUnreachable('An upload was answered without its Location');
  return id;
}

/** Sends the next piece. Where that fails, or nothing is known yet, it asks how much has come first. */
function goOn(
  transport: Transport,
  upload: string,
  pieces: Pieces,
  before: Place,
  { known, signal }: { known: boolean; signal: AbortSignal | undefined },
): Promise<Place> {
  let place = known ? before : undefined;
  return retrying(
    async () => {
      const { offset, fileId } = place ?? (await placeOf(transport, upload, before, signal));
      place = undefined;
      if (fileId !== undefined || offset > before.offset) return { offset, fileId };
      const last = offset + pieceBytes >= pieces.size;
      const answer = await transport.json<ContinueUploadData, void>('PATCH', '/v1/uploads/{id}', {
        path: { id: upload },
        headers: { ...version, 'content-type': mediaType, 'upload-offset': String(offset) },
        bytes: await pieces.from(offset),
        heldSeconds: pieceSeconds + (last ? pieces.size / slowestBytesPerSecond : 0),
        signal,
      });
      return placeIn(answer);
    },
    { retries: transport.retries, signal },
  );
}

/** Where this is refused, no body says why: then all is as it was, for the next piece is refused as well, and told why. */
async function placeOf(
  transport: Transport,
  upload: string,
  before: Place,
  signal: AbortSignal | undefined,
): Promise<Place> {
  const call = { path: { id: upload }, headers: version, signal };
  return transport
    .json<GetUploadData, void>('HEAD', '/v1/uploads/{id}', call)
    .then(placeIn)
    .catch((error: unknown) => {
      if (isPassing(error) || !(error instanceof PerdureUnreachable)) throw error;
      return before;
    });
}

function placeIn({ headers }: Answer<void>): Place {
  const offset = Number(headers.get('upload-offset') ?? Number.NaN);
  if (Number.isNaN(offset)) throw new PerdureUnreachable('An upload was answered without its Upload-Offset');
  return { offset, fileId: headers.get('perdure-file') ?? undefined };
}

export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
