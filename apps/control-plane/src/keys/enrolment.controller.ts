import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CreatedEnrolmentTokenViewDto, CreatedKeyViewDto, CreateEnrolmentTokenDto, EnrolDto, EnrolmentTokenListDto, EnrolmentTokenViewDto } from '@muster/dto';
import type { CreatedEnrolmentTokenView, CreatedKeyView, EnrolmentTokenView } from '@muster/protocol';
import type { Request } from 'express';
import { By, Presented, Requires } from '../http/access.js';
import { Answers } from '../http/answers.js';
import { Refusal } from '../http/refusal.js';
import type { Caller } from './caller.js';
import { EnrolmentTokensService } from './enrolment-tokens.service.js';
import type { ParsedToken } from './key-format.js';
import { RegistrationLimiter } from './registration-limiter.js';

@Requires('admin')
@ApiTags('Keys')
@Controller('api/v1/keys')
export class EnrolmentController {
  constructor(
    private readonly tokens: EnrolmentTokensService,
    private readonly limiter: RegistrationLimiter,
  ) {}

  @Get('enrolment-tokens')
  @Answers({ summary: 'List enrolment tokens', description: 'Newest first; used, expired and revoked ones too. Tokens themselves are never shown.', type: EnrolmentTokenListDto })
  async listEnrolmentTokens(): Promise<{ data: EnrolmentTokenView[] }> {
    return { data: await this.tokens.list() };
  }

  @Post('enrolment-tokens')
  @HttpCode(201)
  @Answers({
    summary: 'Create an enrolment token',
    description: 'One machine may exchange it, once, for a worker key of its own. The token stands in this answer and nowhere else.',
    status: 201,
    type: CreatedEnrolmentTokenViewDto,
  })
  createEnrolmentToken(@Body() body: CreateEnrolmentTokenDto, @By() caller: Caller): Promise<CreatedEnrolmentTokenView> {
    return this.tokens.create({ ...body, owner: body.owner ?? caller.owner }, caller.owner);
  }

  @Delete('enrolment-tokens/:id')
  @Answers({ summary: 'Revoke an enrolment token', description: 'A key that was made of it lives on. Revoking twice changes nothing.', type: EnrolmentTokenViewDto })
  revokeEnrolmentToken(@Param('id') id: string, @By() caller: Caller): Promise<EnrolmentTokenView> {
    return this.tokens.revoke(id, caller.owner);
  }

  @Post('enrol')
  @HttpCode(201)
  @Requires('enrolmentToken')
  @Answers({
    summary: 'Exchange an enrolment token for a worker key',
    description:
      'Send the token as the bearer. It works once: whoever comes second is refused with 401, also when both come at once. The machine that took it may ask again with the same `exchangeId`, and is answered the same key, until the token expires.',
    status: 201,
    type: CreatedKeyViewDto,
  })
  enrol(@Body() body: EnrolDto, @Presented() token: ParsedToken, @Req() request: Request): Promise<CreatedKeyView> {
    const retryAfterSeconds = this.limiter.take(token.id, request.socket.remoteAddress);
    if (retryAfterSeconds !== undefined) {
      throw new Refusal('tooManyRequests', {
        detail: 'Too many machines were enrolled from this address in a short time.',
        hint: `Try again in ${retryAfterSeconds} s; the token is still good.`,
        retryAfterSeconds,
      });
    }
    return this.tokens.exchange(token, body);
  }
}
