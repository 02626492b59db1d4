import { CAPABILITIES, ID_PREFIXES, isId, JOB_STATUSES, LIMITS, LOG_STREAMS, WORKER_STATUSES } from '@muster/protocol';
import type { Capability, JobStatus, LogStream, WorkerId, WorkerStatus } from '@muster/protocol';
import { Query, QueryFlag, QueryMoment, QueryOneOf, QuerySomeOf, QueryText, QueryWhole } from './queries.js';

const CURSOR = { description: 'Where the page begins: the `nextCursor` of the one before.', bytesMax: 200 };
const LIMIT = { description: `Entries of a page. Default ${LIMITS.listPageDefault}.`, min: 1, max: LIMITS.listPageMax };

export class PageQuery {
  @QueryWhole(LIMIT)
  limit?: number;

  @QueryText(CURSOR)
  cursor?: string;
}

/** Which jobs, newest first. Filters narrow together. */
export class ListJobsQuery extends PageQuery {
  @QuerySomeOf(JOB_STATUSES, { description: 'Statuses, separated by commas.', example: 'queued,running' })
  status?: JobStatus[];

  @Query(
    { description: 'A label as `name:value`; several, separated by commas, must all be there.', example: 'exp:7', type: 'string' },
    (text) => text.split(','),
    'labels as `name:value`, separated by commas',
    (value) => Array.isArray(value) && value.length <= LIMITS.labelsMax && value.every((label) => /^[^:]+:/.test(label)),
  )
  label?: string[];

  @Query(
    { description: 'Jobs that were given to this worker.', type: 'string' },
    (text) => text,
    'the id of a worker (wkr_…)',
    (value) => isId(ID_PREFIXES.worker, value),
  )
  worker?: WorkerId;

  @QueryText({ description: 'Jobs of this owner.', example: 'maria', bytesMax: LIMITS.nameBytesMax })
  owner?: string;

  @QueryText({ description: 'Part of the name, in any case.', example: 'iris', bytesMax: LIMITS.nameBytesMax })
  q?: string;

  @Query(
    { description: 'The first characters of an id; answers the jobs whose id begins so.', example: 'job_01JD', type: 'string' },
    (text) => text,
    'the beginning of a job\'s id (job_…)',
    (value) => typeof value === 'string' && /^job_[0-9A-HJKMNP-TV-Z]{0,26}$/.test(value),
  )
  prefix?: string;

  @QueryMoment({ description: 'Only jobs created after this moment.', example: '2026-11-22T10:00:00Z' })
  createdAfter?: string;

  @QueryMoment({ description: 'Only jobs created before this moment.', example: '2026-11-23T10:00:00Z' })
  createdBefore?: string;
}

/** Which workers, newest first. Filters narrow together. */
export class ListWorkersQuery extends PageQuery {
  @QuerySomeOf(WORKER_STATUSES, { description: 'Shown statuses, separated by commas.', example: 'online,busy' })
  status?: WorkerStatus[];

  @QuerySomeOf(CAPABILITIES, { description: 'Capabilities, separated by commas, as the workers have them.', example: 'gpu,hybrid' })
  capability?: Capability[];

  @QueryText({ description: 'Workers that take this content type.', example: 'image', bytesMax: LIMITS.labelBytesMax })
  contentType?: string;

  @QueryText({
    description: 'Conditions on labels, separated by commas, which must all hold: `name=text`, `!=`, and `>` `>=` `<` `<=` for numbers and versions; a name alone asks for any value.',
    example: 'driver>=550,zone=lab',
    bytesMax: 4_096,
  })
  label?: string;

  @QueryFlag({ description: 'Only workers that would be offered a job now; `false`: only those that would not.' })
  available?: boolean;

  @QueryText({ description: 'Workers of this owner.', example: 'maria', bytesMax: LIMITS.nameBytesMax })
  owner?: string;

  @QueryFlag({ description: 'Also workers that were removed.' })
  includeRemoved?: boolean;

  @QueryText({ description: 'Part of the name, in any case.', bytesMax: LIMITS.nameBytesMax })
  q?: string;
}

/** Which piece of a log. Give `offset` or `before` (bytes), `line` or `beforeLine` (lines), or none: from the start. */
export class ReadLogQuery {
  @QueryText({ description: 'Which attempt: its number or its id. Default: the newest.', example: '1', bytesMax: 40 })
  attempt?: string;

  @QueryOneOf(LOG_STREAMS, { description: 'Which stream. Default: `output`.' })
  stream?: LogStream;

  @QueryWhole({ description: 'First byte.', min: 0, max: 2 ** 48 })
  offset?: number;

  @QueryWhole({ description: 'The piece ends before this byte.', min: 0, max: 2 ** 48 })
  before?: number;

  @QueryWhole({ description: 'First line, counted from 0.', min: 0, max: 2 ** 48 })
  line?: number;

  @QueryWhole({ description: 'The piece ends before this line.', min: 0, max: 2 ** 48 })
  beforeLine?: number;

  @QueryWhole({ description: 'At most this many lines.', min: 1, max: 10_000 })
  lines?: number;

  @QueryWhole({ description: 'At most this many bytes. Default 262144.', min: 1, max: 1_048_576 })
  limitBytes?: number;

  @QueryFlag({ description: 'Server-sent events: history first, then live, until the job is final and its log complete.' })
  follow?: boolean;

  @QueryText({ description: 'Search: answers the places where this text stands.', bytesMax: 200 })
  q?: string;
}

export class DownloadLogQuery {
  @QueryText({ description: 'Which attempt: its number or its id. Default: the newest.', example: '1', bytesMax: 40 })
  attempt?: string;

  @QueryOneOf(LOG_STREAMS, { description: 'Which stream. Default: `output`.' })
  stream?: LogStream;
}
