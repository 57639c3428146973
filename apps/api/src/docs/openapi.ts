import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import {
  AuditEntry,
  AuditPage,
  HistoryEvent,
  JobFile,
  LogLine,
  LogPage,
  Problem,
  StreamedEvent,
} from '@perdure/job/schemas';
import { z } from 'zod';
import { linkOperations } from './links.ts';

const components = '#/components/schemas/';
/** Schemas that no operation takes or answers as such. */
const others = [Problem, AuditEntry, AuditPage, LogLine, LogPage, HistoryEvent, StreamedEvent, JobFile];

/** The OpenAPI 3.1 document, made from the zod schemas that also check the requests. */
export function openApi(app: INestApplication): OpenAPIObject {
  const schemas: Record<string, unknown> = {};
  const convert = (schema: unknown, io: 'input' | 'output') => {
    const { $defs, ...rest } = jsonSchema(schema as z.ZodType, io);
    Object.assign(schemas, $defs);
    return { schema: rest };
  };
  for (const schema of others) convert(schema, 'output');
  const config = new DocumentBuilder()
    .setTitle('Perdure')
    .setDescription(
      'A durable job service. Each job is a Temporal workflow: nothing that is accepted is lost.',
    )
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      description: 'An API key: `Authorization: Bearer pk_…`; or a token of the identity provider',
    })
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    standardSchemaConverter: (schema, { schemaType }) => convert(schema, schemaType),
  });
  linkOperations(document);
  const sorted = Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...document,
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    components: { ...document.components, schemas: Object.fromEntries(sorted) },
  } as OpenAPIObject;
}

/** Named schemas become components, everything else stays in its place. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
  });
  return withReferences(json) as Record<string, unknown>;
}

function withReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withReferences);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string'
        ? inner.replace('#/$defs/', components)
        : withReferences(inner),
    ]),
  );
}
