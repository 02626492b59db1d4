import { Body, HttpCode, Param, Post, Req, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { By, Public } from '../../http/access.js';
import type { Caller } from '../../keys/caller.js';
import { objectOf, readForeign } from '../foreign-body.js';
import { ForeignController } from '../foreign-controller.js';
import { ForeignIdPipe } from '../foreign-id.pipe.js';
import { ForeignKeys } from '../foreign-keys.js';
import { ForeignRefusal } from '../foreign-refusal.js';
import { ApiKeyGuard } from './api-key.guard.js';
import { FinetunelabErrors } from './finetunelab-errors.js';
import { FinetunelabWorkers } from './finetunelab-workers.js';
import { FinetunelabHeartbeatDto } from './heartbeat.dto.js';
import { FinetunelabRegisterDto } from './registration.dto.js';
import { websocketUrl } from './websocket-url.js';

/** Where workers of FineTune Lab register and say that they live, word for word (docs/compat.md). */
@ForeignController('finetunelab/api/workers', FinetunelabErrors)
export class FinetunelabController {
  constructor(
    private readonly workers: FinetunelabWorkers,
    private readonly keys: ForeignKeys,
  ) {}

  @Post('register')
  @HttpCode(200)
  @Public('a worker key as `api_key` in the body')
  async register(@Req() request: Request, @Body() body: unknown): Promise<object> {
    const { api_key: key } = objectOf(body, 400);
    const caller = await this.keys.callerBy(key, 'api_key', request);
    const terms = await this.workers.register(caller, readForeign(FinetunelabRegisterDto, body, 400), request.socket.remoteAddress);
    return {
      worker_id: terms.workerId,
      websocket_url: websocketUrl(request),
      heartbeat_interval_seconds: terms.heartbeatIntervalSeconds,
      max_concurrency: terms.maxConcurrency,
    };
  }

  @Post(':id/heartbeat')
  @HttpCode(200)
  @UseGuards(ApiKeyGuard)
  @Public('a worker key as `X-API-Key`, of the worker\'s owner')
  async heartbeat(@By() caller: Caller, @Param('id', ForeignIdPipe) id: string, @Body() body: unknown): Promise<object> {
    const heartbeat = readForeign(FinetunelabHeartbeatDto, body, 400);
    const commands = await this.workers.heartbeat(caller, id, heartbeat);
    if (commands === undefined) throw new ForeignRefusal(404, 'There is no such worker.');
    return { ok: true, pending_commands: commands };
  }
}
