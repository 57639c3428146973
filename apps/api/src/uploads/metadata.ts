import { PerdureError } from '@perdure/job/errors';
import { patterns } from '@perdure/job/ids';
import { Metadata } from '@tus/server';
import { fitName } from '../files/names.ts';

const pointer = 'header/Upload-Metadata';

/** What `Upload-Metadata` says of the file: `filename`, `filetype` and `sha256`. What else a client says is its own affair. */
export function fileIn(metadata: string): { name: string; mediaType: string; sha256: string | undefined } {
  const { filename, filetype, sha256 } = metadata === '' ? {} : Metadata.parse(metadata);
  return {
    name: filename ? fitName(filename, `${pointer}: filename`) : 'file',
    mediaType: filetype
      ? fit(
          filetype,
          'filetype',
          filetype.length < 256 && patterns.mediaType.test(filetype),
          'is a media type',
        )
      : 'application/octet-stream',
    sha256: sha256
      ? fit(
          sha256.toLowerCase(),
          'sha256',
          /^[0-9a-f]{64}$/i.test(sha256),
          'is the SHA-256 of the file, in hex',
        )
      : undefined,
  };
}

function fit(value: string, key: string, isFit: boolean, detail: string): string {
  if (isFit) return value;
  throw new PerdureError('invalid-request', `${pointer}: ${key} ${detail}`, {
    details: [{ pointer: `${pointer}: ${key}`, detail }],
  });
}
