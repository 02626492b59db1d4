import { applyDecorators } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { ApiExtraModels, ApiOperation, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { ProblemDto } from '@muster/dto';

export interface AnswerOptions {
  /** A few words; the headline in the document. */
  readonly summary: string;
  readonly description?: string;
  /** 200 unless told. */
  readonly status?: number;
  readonly type?: Type<object>;
  /** Other media types the same route can answer with. */
  readonly alsoAs?: readonly string[];
}

/** What a route answers, for the OpenAPI document: its success, and the one shape of every refusal. */
export function Answers(options: AnswerOptions): MethodDecorator {
  const { summary, description, status = 200, type, alsoAs = [] } = options;
  const json: Record<string, { schema: { $ref: string } }> =
    type === undefined ? {} : { 'application/json': { schema: { $ref: getSchemaPath(type) } } };
  const others = Object.fromEntries(alsoAs.map((mediaType) => [mediaType, { schema: { type: 'string' } }]));
  return applyDecorators(
    ...(type === undefined ? [] : [ApiExtraModels(type)]),
    ApiExtraModels(ProblemDto),
    ApiOperation({ summary, ...(description === undefined ? {} : { description }) }),
    ApiResponse({ status, description: summary, content: { ...json, ...others } }),
    ApiResponse({
      status: 'default',
      description: 'Refused or failed; `code` says why and `hint` what to do.',
      content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDto) } } },
    }),
  );
}
