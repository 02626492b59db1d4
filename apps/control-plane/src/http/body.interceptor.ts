import { Injectable, SetMetadata } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { LIMITS } from '@muster/protocol';
import type { Request } from 'express';
import type { Observable } from 'rxjs';
import { placeInText, scanJson } from './json-scan.js';
import { Refusal } from './refusal.js';
import { BODY_LIMITS, checkShape, type ShapeLimits } from './shape-guard.js';

const BODY_BYTES_MAX = 'muster:bodyBytesMax';
const ANY_MEDIA = 'muster:anyMedia';
const BODY_SHAPE = 'muster:bodyShape';

/** How long the body of this route may be; otherwise `LIMITS.restBodyBytesMax`. */
export function BodyLimit(bytesMax: number): MethodDecorator {
  return SetMetadata(BODY_BYTES_MAX, bytesMax);
}

/** Where the bodies of a route may be larger or freer than `BODY_LIMITS`; what it takes is then read without making classes of it. */
export function BodyShape(shape: Partial<ShapeLimits>): MethodDecorator {
  return SetMetadata(BODY_SHAPE, { ...BODY_LIMITS, ...shape });
}

/**
 * Takes a body for JSON whatever its Content-Type says: for clients of other systems, which are as they are. Only where no
 * cookie counts, because a page of another site may send such a request.
 */
export function AnyMedia(): ClassDecorator & MethodDecorator {
  return SetMetadata(ANY_MEDIA, true);
}

/**
 * Reads and parses the body *after* the guard: whoever has no key cannot make us read a megabyte. Then come the size,
 * the syntax and the shape, in this order, and only then the pipes that build classes.
 */
@Injectable()
export class BodyInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<Request>();
    const bytesMax = this.reflector.get<number | undefined>(BODY_BYTES_MAX, context.getHandler()) ?? LIMITS.restBodyBytesMax;
    const takesAny = this.reflector.getAllAndOverride<boolean | undefined>(ANY_MEDIA, [context.getHandler(), context.getClass()]) === true;
    const shape = this.reflector.get<ShapeLimits | undefined>(BODY_SHAPE, context.getHandler()) ?? BODY_LIMITS;
    request.body = await readBody(request, { bytesMax, takesAny, shape });
    return next.handle();
  }
}

interface BodyRules {
  readonly bytesMax: number;
  /** Whatever its Content-Type says. */
  readonly takesAny: boolean;
  readonly shape: ShapeLimits;
}

/** Undefined when there is no body. */
async function readBody(request: Request, { bytesMax, takesAny, shape }: BodyRules): Promise<unknown> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced === 0 && request.headers['transfer-encoding'] === undefined) return undefined;
  if (announced > bytesMax) throw tooLarge(bytesMax, `${announced} bytes`);
  refuseEncoded(request);
  if (!takesAny) refuseOtherMedia(request);
  return parseBody(await readBytes(request, bytesMax), shape);
}

function refuseEncoded(request: Request): void {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new Refusal('unsupportedMediaType', { detail: `The body is encoded as ${encoding}.`, hint: 'Send it uncompressed.' });
  }
}

function refuseOtherMedia(request: Request): void {
  const media = request.headers['content-type'] ?? '';
  if (/^application\/(?:[\w.+-]+\+)?json *(?:; *charset="?utf-8"? *)?$/i.test(media.trim())) return;
  throw new Refusal('unsupportedMediaType', {
    detail: media === '' ? 'The body has no Content-Type.' : `The Content-Type is ${JSON.stringify(media.slice(0, 100))}.`,
    hint: 'Send JSON in UTF-8 with `Content-Type: application/json`.',
  });
}

/** Stops reading at the first byte too many; the connection is closed with the answer (problem.filter.ts). */
async function readBytes(request: Request, bytesMax: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (part: Buffer) => {
      length += part.length;
      parts.push(part);
      if (length <= bytesMax) return;
      request.pause();
      request.removeAllListeners('data');
      reject(tooLarge(bytesMax, 'more'));
    });
    request.on('end', () => resolve(Buffer.concat(parts)));
    request.on('error', reject);
    request.on('close', () => {
      if (!request.readableEnded) reject(new Refusal('invalidRequest', { detail: 'The connection ended before the body did.', hint: 'Send it again.' }));
    });
  });
}

/** However it is made, it costs nothing to parse: only what is longer is looked through before. */
const PARSED_AT_ONCE_BYTES_MAX = 16_384;

/** Exported for its spec. */
export function parseBody(bytes: Buffer, limits = BODY_LIMITS): unknown {
  const text = decodeText(bytes);
  const body = bytes.length <= PARSED_AT_ONCE_BYTES_MAX ? parseHarmless(text, limits) : undefined;
  return body === undefined ? scanAndParse(text, limits) : body.value;
}

/** Undefined for what is to be refused: those who look closer say why. */
function parseHarmless(text: string, limits: ShapeLimits): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return checkShape(value, limits) === null ? { value } : undefined;
  } catch {
    return undefined;
  }
}

function scanAndParse(text: string, limits: ShapeLimits): unknown {
  const complaint = scanJson(text, limits);
  if (complaint?.kind === 'syntax') {
    throw new Refusal('invalidJson', {
      detail: `${complaint.detail} at ${placeInText(text, complaint.offset)}.`,
      hint: 'Send one JSON object; names and texts stand in double quotes.',
    });
  }
  if (complaint?.kind === 'shape') throw badShape(complaint.detail, '');
  const body: unknown = JSON.parse(text);
  const shape = checkShape(body, limits);
  if (shape !== null) throw badShape(shape.detail, shape.pointer);
  return body;
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

function decodeText(bytes: Buffer): string {
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw new Refusal('invalidJson', { detail: 'The body is not UTF-8.', hint: 'Send JSON in UTF-8.' });
  }
}

function badShape(detail: string, pointer: string): Refusal {
  return new Refusal('shapeRefused', {
    detail: pointer === '' ? detail : `${pointer}: ${detail}`,
    hint: 'Make it flatter or smaller; several jobs may be split over several requests.',
    errors: [{ pointer, detail }],
  });
}

function tooLarge(bytesMax: number, got: string): Refusal {
  return new Refusal('bodyTooLarge', {
    detail: `Expected a body of at most ${bytesMax} bytes, got ${got}.`,
    hint: 'Send less at once; large data belongs into a file that the job reads.',
  });
}
