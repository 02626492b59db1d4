import { ID_PREFIXES, isId, SAMPLE_LIMITS, SAMPLE_MEASURES, SAMPLE_RESOLUTIONS } from '@muster/protocol';
import type {
  AttemptId, SampleMeasureView, SampleResolution, SampleSeriesView, SampleSubject, SamplesView, WorkerId,
} from '@muster/protocol';
import { ApiExtraModels, ApiProperty, ApiSchema, getSchemaPath } from '@nestjs/swagger';
import { Query, QueryMoment, QueryOneOf, QueryText, QueryWhole } from './queries.js';
import { ShownList, ShownMoment, ShownOneOf, ShownText, ShownWhole } from './shown.js';

/** Which samples: of a window, in buckets. Give `points` or `resolution`, not both. */
export class SamplesQuery {
  @QueryMoment({ description: 'The first moment. Default: an hour before `to`.', example: '2026-11-22T10:00:00Z' })
  from?: string;

  @QueryMoment({ description: 'The moment that does not belong to it any more. Default: now.', example: '2026-11-22T11:00:00Z' })
  to?: string;

  @QueryWhole({
    description: `At most so many buckets for the whole window, made of the finest samples that are needed and still there. Default ${SAMPLE_LIMITS.pointsDefault}.`,
    min: 2,
    max: SAMPLE_LIMITS.pointsMax,
  })
  points?: number;

  @QueryOneOf(SAMPLE_RESOLUTIONS, {
    description: `Samples as they came, or by minute or hour; at most ${SAMPLE_LIMITS.bucketsMax} of them, the rest from \`nextFrom\`.`,
  })
  resolution?: SampleResolution;
}

export class WorkerSamplesQuery extends SamplesQuery {
  @Query(
    { description: 'What this attempt used there, instead of the machine and its GPUs.', type: 'string' },
    (text) => text,
    'the id of an attempt (att_…)',
    (value) => isId(ID_PREFIXES.attempt, value),
  )
  attempt?: AttemptId;
}

export class JobSamplesQuery extends SamplesQuery {
  @QueryText({ description: 'Which attempt: its number or its id. Default: the newest.', example: '1', bytesMax: 40 })
  attempt?: string;
}

const NUMBERS_OR_NULL = { type: 'array', items: { type: ['number', 'null'] } };

/** One entry for each bucket. Where no sample of a bucket knew the measure, `counts` is 0 and the others are null. */
export class SampleMeasureDto implements SampleMeasureView {
  @ApiProperty({ type: 'array', items: { type: 'integer' }, description: 'Samples that knew it.' })
  counts: number[];

  @ApiProperty(NUMBERS_OR_NULL as object)
  averages: (number | null)[];

  @ApiProperty(NUMBERS_OR_NULL as object)
  lowest: (number | null)[];

  @ApiProperty(NUMBERS_OR_NULL as object)
  highest: (number | null)[];
}

/** All lists are equally long: one entry for each bucket in which there was a sample. */
// A class with a decorator is renamed in the bundle.
@ApiSchema({ name: 'SampleSeriesDto' })
@ApiExtraModels(SampleMeasureDto)
export class SampleSeriesDto implements SampleSeriesView {
  @ShownOneOf(Object.keys(SAMPLE_MEASURES))
  subject: SampleSubject;

  @ShownWhole({ description: 'Of a GPU, as in the inventory.', nullable: true })
  gpuIndex: number | null;

  @ShownText({ nullable: true })
  attemptId: AttemptId | null;

  @ApiProperty({ type: 'array', items: { type: 'string', format: 'date-time' }, description: 'The beginning of each bucket.' })
  at: string[];

  @ApiProperty({ type: 'array', items: { type: 'integer' }, description: 'Samples that came in it.' })
  samples: number[];

  @ApiProperty({
    type: 'object',
    additionalProperties: { $ref: getSchemaPath(SampleMeasureDto) },
    description: `By name of the measure. ${Object.entries(SAMPLE_MEASURES).map(([subject, names]) => `${subject}: ${names.join(', ')}`).join('; ')}.`,
  })
  measures: Record<string, SampleMeasureDto>;
}

/** Every moment is by the database's clock, when the sample was received. */
export class SamplesViewDto implements SamplesView {
  @ShownText()
  workerId: WorkerId;

  @ShownMoment('What was looked at, from the beginning of its first bucket.')
  fromAt: string;

  @ShownMoment('Does not belong to it any more.')
  toAt: string;

  @ShownOneOf(SAMPLE_RESOLUTIONS, 'The coarsest samples that the answer was made of.')
  resolution: SampleResolution;

  @ShownWhole({ description: 'Width of a bucket; null where each sample stands for itself.', nullable: true })
  bucketMs: number | null;

  @ShownList(() => SampleSeriesDto, { description: 'The machine and its GPUs, or the attempt that was asked for.' })
  series: SampleSeriesDto[];

  @ShownMoment({ description: 'Where to go on when there was more than one answer holds.', nullable: true })
  nextFrom: string | null;
}
