import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import { OpenApiHolder } from './openapi-holder.js';
import { KEY_SCHEME } from './access.js';

/** Of the document, and of what `/meta` says. */
export const VERSION = '0.1.0';

const ABOUT = [
  'Run a team\'s jobs on the machines it already owns.',
  '',
  'Send a key as `Authorization: Bearer <key>`. Refusals are `application/problem+json` (RFC 9457): `code` says why,',
  '`errors` which field, `hint` what to do. Lists are pages: give `nextCursor` as `cursor` for the next one. A submission',
  'with an `Idempotency-Key` may be sent again for 24 hours without storing anything twice.',
].join('\n');

/** The order in which people read: what they come for first, what programs speak last. */
const TAGS = ['Jobs', 'Logs', 'Metrics', 'Workers', 'Samples', 'Keys', 'Me', 'Meta', 'Health', 'Workers over HTTP'];

/** Made from the DTO classes the routes use; nothing in it is written by hand a second time. */
export function createOpenApiDocument(app: INestApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Muster')
    .setDescription(ABOUT)
    .setVersion(VERSION)
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A key, as made by `muster keys create`.' }, KEY_SCHEME);
  for (const tag of TAGS) builder.addTag(tag);
  const document = SwaggerModule.createDocument(app, builder.build(), { operationIdFactory: (_controller, method) => method });
  return toOpenApi31(document) as OpenAPIObject;
}

/** Makes the document when it is first asked for: it is never needed for running jobs. */
export function serveDocument(app: INestApplication): void {
  app.get(OpenApiHolder).make = () => createOpenApiDocument(app);
}

type Json = Record<string, unknown>;

/** `nullable` belongs to OpenAPI 3.0; in 3.1 null is a type like any other. `anyJson` is our word for "any value". */
function toOpenApi31(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(toOpenApi31);
  if (typeof node !== 'object' || node === null) return node;
  const { nullable, anyJson, ...rest } = node as Json;
  const schema: Json = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, toOpenApi31(value)]));
  // Declared on the class and on the route: needed once.
  if (Array.isArray(schema['security'])) schema['security'] = schema['security'].slice(0, 1);
  if (anyJson === true) return withoutType(schema);
  return nullable === true ? orNull(schema) : schema;
}

function withoutType(schema: Json): Json {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== 'type' && name !== 'additionalProperties'));
}

function orNull(schema: Json): Json {
  const { type, allOf, $ref, enum: values, ...rest } = schema;
  if (typeof type === 'string') {
    return { ...rest, type: [type, 'null'], ...(Array.isArray(values) ? { enum: [...values, null] } : {}) };
  }
  const inner = $ref === undefined ? { allOf } : { $ref };
  return { ...rest, anyOf: [inner, { type: 'null' }] };
}
