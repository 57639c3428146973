import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes } from '@nestjs/swagger';

/** On operations whose body is a file: it is not parsed, and may be empty. */
export const TakesBytes = () =>
  applyDecorators(
    RouteConfig({ raw: true }),
    ApiConsumes('application/octet-stream'),
    ApiBody({
      required: false,
      description: 'The bytes, of any media type',
      schema: { type: 'string', format: 'binary' },
    }),
  );
