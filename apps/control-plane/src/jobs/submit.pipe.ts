import { Injectable } from '@nestjs/common';
import type { PipeTransform } from '@nestjs/common';
import { SubmitJobDto, SubmitJobsDto, isRecord } from '@muster/dto';
import { decodeOrRefuse } from '../http/validation.pipe.js';

export interface Submission {
  readonly jobs: readonly SubmitJobDto[];
  /** Whether it came as `{"jobs": […]}`, and is answered so. */
  readonly isBatch: boolean;
  /** As it was sent; what an Idempotency-Key is held against. */
  readonly body: unknown;
}

/** One job, or `{"jobs": […]}`. */
@Injectable()
export class SubmitPipe implements PipeTransform {
  transform(body: unknown): Submission {
    if (isRecord(body) && 'jobs' in body) return { jobs: decodeOrRefuse(SubmitJobsDto, body).jobs, isBatch: true, body };
    return { jobs: [decodeOrRefuse(SubmitJobDto, body)], isBatch: false, body };
  }
}
