import { Body, Delete, Get, HttpCode, Param, Post, Req, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { By, Public } from '../../http/access.js';
import type { Caller } from '../../keys/caller.js';
import { objectOf, readForeign } from '../foreign-body.js';
import { ForeignController } from '../foreign-controller.js';
import { ForeignIdPipe } from '../foreign-id.pipe.js';
import { ForeignKeys } from '../foreign-keys.js';
import { ForeignRefusal } from '../foreign-refusal.js';
import { MoragBearerGuard } from './bearer.guard.js';
import { MoragHeartbeatDto } from './heartbeat.dto.js';
import { MoragErrors } from './morag-errors.js';
import { MoragRegistry } from './morag-registry.js';
import type { MoragStats, WorkerInfo } from './morag.view.js';
import { MoragRegisterDto } from './registration.dto.js';

const UNKNOWN = 'Worker not found';

/** The registry that workers of MoRAG expect, word for word (docs/compat.md). */
@ForeignController('morag/api/v1/workers', MoragErrors)
export class MoragController {
  constructor(
    private readonly registry: MoragRegistry,
    private readonly keys: ForeignKeys,
  ) {}

  @Post('register')
  @HttpCode(200)
  @Public('a worker key as `auth_token` in the body')
  async register(@Req() request: Request, @Body() body: unknown): Promise<object> {
    const { auth_token: token } = objectOf(body, 422);
    const caller = await this.keys.callerBy(token, 'auth_token', request);
    const { registration } = readForeign(MoragRegisterDto, body, 422);
    const workerId = await this.registry.register(caller, registration, request.socket.remoteAddress);
    return { success: true, message: 'Worker registered successfully', worker_id: workerId };
  }

  @Post(':id/heartbeat')
  @HttpCode(200)
  @Public('knowing the worker\'s id: the contract sends nothing else')
  async heartbeat(@Req() request: Request, @Param('id', ForeignIdPipe) id: string, @Body() body: unknown): Promise<object> {
    const heartbeat = readForeign(MoragHeartbeatDto, body, 422);
    if (heartbeat.worker_id !== id) throw new ForeignRefusal(400, 'Worker ID mismatch');
    if (!(await this.registry.heartbeat(heartbeat))) throw this.unknown(request);
    return { success: true, message: 'Heartbeat updated' };
  }

  @Delete(':id')
  @Public('knowing the worker\'s id: the contract sends nothing else')
  async unregister(@Req() request: Request, @Param('id', ForeignIdPipe) id: string): Promise<object> {
    if (!(await this.registry.unregister(id))) throw this.unknown(request);
    return { success: true, message: 'Worker unregistered' };
  }

  @Get()
  @UseGuards(MoragBearerGuard)
  @Public('a worker key as bearer, of the worker\'s owner')
  list(@By() caller: Caller): Promise<WorkerInfo[]> {
    return this.registry.list(caller.owner);
  }

  // Before the route of one worker, which would take the word for an id.
  @Get('stats')
  @UseGuards(MoragBearerGuard)
  @Public('a worker key as bearer, of the worker\'s owner')
  stats(@By() caller: Caller): Promise<MoragStats> {
    return this.registry.stats(caller.owner);
  }

  @Get(':id')
  @UseGuards(MoragBearerGuard)
  @Public('a worker key as bearer, of the worker\'s owner')
  async get(@By() caller: Caller, @Param('id', ForeignIdPipe) id: string): Promise<WorkerInfo> {
    const info = await this.registry.get(caller.owner, id);
    if (info === undefined) throw new ForeignRefusal(404, UNKNOWN);
    return info;
  }

  /** Counted: ids stand in the place of a key here. */
  private unknown(request: Request): ForeignRefusal {
    this.keys.noteFailure(request);
    return new ForeignRefusal(404, UNKNOWN);
  }
}
