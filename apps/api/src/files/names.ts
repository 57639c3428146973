import { patterns } from '@perdure/job/ids';
import { invalid } from '../http/refusal.ts';
import { isStorable } from '../http/storable.ts';

/**
 * The name of an upload: `?name=`, else that of Content-Disposition, else `file`. Names are no paths: they are kept
 * as they are, and never become part of one.
 */
export function uploadName(asked: string | undefined, disposition: string | undefined): string {
  const [name, pointer] =
    asked === undefined ? [nameIn(disposition), 'header/Content-Disposition'] : [asked, 'query/name'];
  return name === undefined ? 'file' : fitName(name, pointer);
}

/** Throws 'invalid-request', which names the place `pointer`, where `name` is no name of a file. */
export function fitName(name: string, pointer: string): string {
  if (patterns.fileName.test(name) && name.length <= 255 && isStorable(name)) return name;
  throw invalid(pointer, 'is a name of 1 to 255 characters, without slashes and control characters');
}

/** `filename*` (RFC 8187) or `filename` of Content-Disposition (RFC 6266). */
function nameIn(disposition: string | undefined): string | undefined {
  if (disposition === undefined) return undefined;
  const extended = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(`;${disposition}`)?.[1];
  if (extended !== undefined && isEncoded(extended)) return decodeURIComponent(extended);
  const [, quoted, token] =
    /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(`;${disposition}`) ?? [];
  // Node reads headers as Latin-1; what clients send there is UTF-8 nowadays.
  const name = quoted?.replaceAll(/\\(.)/g, '$1') ?? token;
  return name === undefined ? undefined : Buffer.from(name, 'latin1').toString('utf8');
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Content-Disposition of a download: always an attachment, with the name in both forms (RFC 6266, appendix D). */
export function attachment(name: string): string {
  const plain = name.normalize('NFKD').replaceAll(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
