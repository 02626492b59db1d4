import { Injectable } from '@nestjs/common';
import type { ArgumentMetadata, PipeTransform, Type } from '@nestjs/common';
import { decode, toPointer, toQueryName } from '@muster/dto';
import { ID_PREFIXES, isId } from '@muster/protocol';
import { invalidRequest, unknownJob, unknownWorker } from './refusal.js';
import { checkShape } from './shape-guard.js';

/** Types a parameter has when it names no class of ours. */
const PLAIN_TYPES = new Set<unknown>([Object, String, Number, Boolean, Array, undefined]);

/** Builds the class a parameter declares, or refuses with every complaint at once. Unknown fields are refused. */
@Injectable()
export class ValidationPipe implements PipeTransform {
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    const { type, metatype } = metadata;
    if ((type !== 'body' && type !== 'query') || PLAIN_TYPES.has(metatype)) return value;
    // A request without a body says what an empty object says.
    return decodeOrRefuse(metatype as Type<object>, value ?? {}, type === 'query');
  }
}

export function decodeOrRefuse<T extends object>(kind: Type<T>, plain: unknown, isQuery = false): T {
  if (isQuery) refuseBadText(plain);
  const decoded = decode(kind, plain, { place: isQuery ? toQueryName : toPointer });
  if ('errors' in decoded) throw invalidRequest(decoded.errors);
  return decoded.value;
}

/** Bodies were looked at when they were read. */
function refuseBadText(query: unknown): void {
  const complaint = checkShape(query);
  if (complaint !== null) throw invalidRequest([{ pointer: complaint.pointer.replace(/^\//, '?'), detail: complaint.detail }]);
}

/** A path's id. What does not even look like one is as unknown as one that nobody has. */
@Injectable()
export class JobIdPipe implements PipeTransform {
  transform(value: unknown): string {
    if (!isId(ID_PREFIXES.job, value)) throw unknownJob(String(value));
    return value;
  }
}

@Injectable()
export class WorkerIdPipe implements PipeTransform {
  transform(value: unknown): string {
    if (!isId(ID_PREFIXES.worker, value)) throw unknownWorker(String(value));
    return value;
  }
}
