import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import { createOpenApiDocument } from '../src/http/openapi.js';
import { startHarness } from './control-plane-harness.js';
import type { Harness } from './control-plane-harness.js';
import { Rest } from './rest.js';

const COPY = join(import.meta.dirname, '../../../docs/openapi.json');
type Json = Readonly<Record<string, unknown>>;
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly responses: Readonly<Record<string, { readonly content?: Json }>>;
}

let harness: Harness;
let document: OpenAPIObject;
beforeAll(async () => {
  harness = await startHarness();
  document = createOpenApiDocument(harness.controlPlane.app);
});
afterAll(() => harness.stop());

function operations(): Operation[] {
  return Object.values(document.paths).flatMap((item) => Object.values(item as Record<string, Operation>));
}

/** Every object in the document, whatever it describes. */
function* objectsIn(node: unknown): Generator<Json> {
  if (typeof node !== 'object' || node === null) return;
  if (!Array.isArray(node)) yield node as Json;
  for (const value of Object.values(node)) yield* objectsIn(value);
}

describe('the OpenAPI document', () => {
  it('has a fresh copy in docs/ (write it with UPDATE_DOCS=1)', async () => {
    const text = `${JSON.stringify(document, null, 2)}\n`;
    if (process.env.UPDATE_DOCS === '1') await writeFile(COPY, text);
    expect(await readFile(COPY, 'utf8')).toBe(text);
  });

  it('is served, and is OpenAPI 3.1 through and through', async () => {
    const { body, headers } = await new Rest(harness.controlPlane.url).send<OpenAPIObject>('GET', '/api/openapi.json');
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(body).toEqual(JSON.parse(JSON.stringify(document)));
    expect(body.openapi).toBe('3.1.0');
    for (const object of objectsIn(body)) {
      expect(object).not.toHaveProperty('nullable');
      expect(object).not.toHaveProperty('anyJson');
    }
  });

  it('refers only to what it defines', () => {
    const schemas = Object.keys(document.components?.schemas ?? {});
    for (const object of objectsIn(document)) {
      if (typeof object['$ref'] === 'string') expect(schemas).toContain(object['$ref'].replace('#/components/schemas/', ''));
    }
  });

  it('names every operation once and says what it answers', () => {
    const names = operations().map((operation) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { operationId, summary, responses } of operations()) {
      expect(operationId).toMatch(/^[a-z][A-Za-z]+$/);
      expect(summary).toMatch(/^[A-Z]/);
      expect(Object.keys(responses.default?.content ?? {})).toEqual(['application/problem+json']);
    }
  });

  it('begins with what people come for, and leaves no room of it out', () => {
    const order = document.tags?.map(({ name }) => name) ?? [];
    expect(order[0]).toBe('Jobs');
    expect([...new Set(operations().flatMap(({ tags }) => tags))].sort()).toEqual([...order].sort());
  });

  it('has no field for parts of a job that are not supported', () => {
    const spec = document.components?.schemas?.SubmitJobDto as { properties: Json; required: string[] };
    expect(Object.keys(spec.properties)).not.toEqual(expect.arrayContaining(['array']));
    expect(spec.required).toEqual(['run']);
  });
});

describe('Swagger UI', () => {
  it('is made of files of our own, without inline scripts', async () => {
    const anonymous = new Rest(harness.controlPlane.url);
    const { text, headers } = await anonymous.send('GET', '/api/docs');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    const sources = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source ?? '');
    expect(sources.length).toBeGreaterThan(3);
    for (const source of sources) {
      expect(source).toMatch(/^\/api\/docs\//);
      expect((await anonymous.send('GET', source)).status).toBe(200);
    }
    expect(text).not.toMatch(/<script>|<style>|https?:/);
    expect((await anonymous.send('GET', '/api/docs/start.js')).text).toContain('/api/openapi.json');
    expect((await anonymous.send('GET', '/api/docs/package.json')).status).toBe(404);
    expect((await anonymous.send('GET', '/api/docs/..%2f..%2fpackage.json')).status).toBe(404);
  });
});
