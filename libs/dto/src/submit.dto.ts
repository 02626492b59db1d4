import { LIMITS } from '@muster/protocol';
import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ValidateNested } from 'class-validator';
import { Expect, Flag, Text } from './fields.js';
import { SubmitJobDto } from './job-spec.dto.js';
import { isRecord } from './values.js';

/** Several jobs in one request: all are accepted or none is. */
export class SubmitJobsDto {
  @ApiProperty({ type: [SubmitJobDto], minItems: 1, maxItems: LIMITS.jobsPerSubmitMax, description: 'Accepted all or none.' })
  @Expect('jobs', `a list of 1 to ${LIMITS.jobsPerSubmitMax} jobs`, (value) => {
    return Array.isArray(value) && value.length >= 1 && value.length <= LIMITS.jobsPerSubmitMax && value.every(isRecord);
  })
  @ValidateNested({ each: true })
  @Type(() => SubmitJobDto)
  jobs: SubmitJobDto[];
}

/** How a job is to be cancelled. An empty object asks for the ordinary way. */
export class CancelJobDto {
  @Flag({ description: 'No grace: its processes are killed at once.', example: false, isOptional: true })
  force?: boolean;

  @Text({ description: 'Why, for those who read the events later.', example: 'wrong data set', bytesMax: 500, isOptional: true })
  reason?: string;
}

/** How a job is to be paused; what pausing means for it stands in its own `pause`. */
export class PauseJobDto {
  @Text({ description: 'Why, for those who read the events later.', example: 'the node is needed for a demo', bytesMax: 500, isOptional: true })
  reason?: string;
}

export class ResumeJobDto {
  @Text({ description: 'Why, for those who read the events later.', example: 'the demo is over', bytesMax: 500, isOptional: true })
  reason?: string;
}
