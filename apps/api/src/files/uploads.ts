import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { header } from '../http/headers.ts';
import { drain } from '../http/json-body.ts';
import { Settings } from '../settings.ts';
import { announcedSha256 } from './digests.ts';
import { uploadName } from './names.ts';

export type Upload = {
  name: string;
  mediaType: string;
  expectedSha256: string | undefined;
  /** Fewer than any file may have. */
  maxBytes?: number;
  bytes: Readable;
};

/** Requests whose body is a file. */
@Injectable()
export class Uploads {
  constructor(private readonly settings: Settings) {}

  /** Hands the file to `keep`; what is left of a refused body is read, so that the client lives to see why. */
  async take<T>(
    request: FastifyRequest,
    name: string | undefined,
    keep: (upload: Upload) => Promise<T>,
  ): Promise<T> {
    // Without a body there is nothing to parse: an empty file.
    const bytes = request.body instanceof Readable ? request.body : Readable.from([]);
    try {
      return await keep({ ...this.announced(name, request), bytes });
    } catch (error) {
      drain(bytes);
      throw error;
    }
  }

  /** Everything that can be refused before a byte is read. */
  private announced(name: string | undefined, { headers }: FastifyRequest) {
    const {
      'content-length': length,
      'content-type': mediaType = 'application/octet-stream',
      'content-encoding': encoding,
    } = headers;
    const { fileBytes } = this.settings.config.limits;
    if (Number(length) > fileBytes)
      throw new PerdureError('payload-too-large', `A file has ${fileBytes} bytes at most`);
    if (encoding !== undefined && encoding !== 'identity') {
      throw new PerdureError(
        'unsupported-media-type',
        'Content-Encoding is not supported: send the bytes as they are',
      );
    }
    if (/^multipart\//i.test(mediaType)) {
      throw new PerdureError(
        'unsupported-media-type',
        'The body is the file itself, not a form: curl --data-binary @file, not -F',
      );
    }
    const contentDigest = announcedSha256(header(headers, 'content-digest'), 'Content-Digest');
    const reprDigest = announcedSha256(header(headers, 'repr-digest'), 'Repr-Digest');
    if (contentDigest !== undefined && reprDigest !== undefined && contentDigest !== reprDigest) {
      throw new PerdureError('digest-mismatch', 'Content-Digest and Repr-Digest announce different bytes');
    }
    return {
      name: uploadName(name, header(headers, 'content-disposition')),
      mediaType: mediaType.slice(0, 255),
      expectedSha256: contentDigest ?? reprDigest,
    };
  }
}
