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
  /** What it answers instead when it is asked for that. */
  readonly orType?: Type<object>;
  /** Other media types the same route can answer with. */
  readonly alsoAs?: readonly string[];
}

/** What a route answers, for the OpenAPI document: its success, and the one shape of every refusal. */
export function Answers(options: AnswerOptions): MethodDecorator {
  const { summary, description, status = 200, type, orType, alsoAs = [] } = options;
  const types = [type, orType].filter((one) => one !== undefined);
  const refs = types.map((one) => ({ $ref: getSchemaPath(one) }));
  const [only] = refs;
  const json: Record<string, { schema: { $ref: string } | { oneOf: { $ref: string }[] } }> =
    only === undefined ? {} : { 'application/json': { schema: refs.length === 1 ? only : { oneOf: refs } } };
  const others = Object.fromEntries(alsoAs.map((mediaType) => [mediaType, { schema: { type: 'string' } }]));
  return applyDecorators(
    ApiExtraModels(ProblemDto, ...types),
    ApiOperation({ summary, ...(description === undefined ? {} : { description }) }),
    ApiResponse({ status, description: summary, content: { ...json, ...others } }),
    ApiResponse({
      status: 'default',
      description: 'Refused or failed; `code` says why and `hint` what to do.',
      content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDto) } } },
    }),
  );
}
