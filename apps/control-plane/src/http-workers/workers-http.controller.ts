import { Body, Controller, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { ClaimDto, ClaimViewDto, HeartbeatDto, HeartbeatViewDto, RegisteredWorkerViewDto, RegisterWorkerDto } from '@muster/dto';
import type { ClaimView, HeartbeatView, RegisteredWorkerView } from '@muster/protocol';
import type { Request, Response } from 'express';
import { By, Requires } from '../http/access.js';
import { Answers } from '../http/answers.js';
import type { Caller } from '../keys/caller.js';
import { HttpWorkers } from './http-workers.js';

/** The life of a worker that has no socket. */
@Requires('worker')
@ApiTags('Workers over HTTP')
@Controller('api/v1/workers')
export class WorkersHttpController {
  constructor(private readonly workers: HttpWorkers) {}

  @Post('register')
  @HttpCode(200)
  @Answers({ summary: 'Register as a worker', description: 'The same machine is the same worker again, and whoever registers last is it: programs before are answered 409 `superseded`. Register again after a 404.', type: RegisteredWorkerViewDto })
  registerWorker(@Body() body: RegisterWorkerDto, @By() caller: Caller, @Req() request: Request): Promise<RegisteredWorkerView> {
    return this.workers.register(caller, body, request.socket.remoteAddress);
  }

  @Post(':id/heartbeat')
  @HttpCode(200)
  @Answers({ summary: 'Show that the worker lives', description: 'Renews the lease of every attempt it lists, and says what is to be done with them. As often as the last answer said.', type: HeartbeatViewDto })
  heartbeat(@Param('id') id: string, @Body() body: HeartbeatDto, @By() caller: Caller): Promise<HeartbeatView> {
    return this.workers.heartbeat(caller, id, body);
  }

  @Post(':id/claim')
  @HttpCode(200)
  @ApiResponse({ status: 204, description: 'No job for it now.' })
  @Answers({ summary: 'Ask for a job', description: 'Waits for one up to `waitSeconds`, which shows that the worker lives. A job that was answered is the worker\'s to start within `offerTtlMs`; not started, it goes back to the queue.', type: ClaimViewDto })
  async claimJob(
    @Param('id') id: string,
    @Body() body: ClaimDto,
    @By() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ClaimView | undefined> {
    const claim = await this.workers.claim(caller, id, body, goneWith(response));
    if (claim === undefined) response.status(204);
    return claim;
  }
}

/** Aborts when the connection ends before the answer is given. */
function goneWith(response: Response): AbortSignal {
  const gone = new AbortController();
  // It may have ended while the key was looked at.
  if (response.socket?.destroyed ?? true) gone.abort();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}
