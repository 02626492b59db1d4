import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Public } from './access.js';
import { Answers } from './answers.js';
import { Readiness } from './readiness.js';

/** One word for load balancers and supervisors; nothing about why, because nobody shows a key here. */
@Public()
@ApiTags('Health')
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Answers({ summary: 'Whether the process runs', description: '200 and `ok`.' })
  getLive(): string {
    return 'ok';
  }

  @Get('ready')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Answers({ summary: 'Whether it can work', description: '200 and `ok`, or 503 and `unavailable` while PostgreSQL does not answer.' })
  async getReady(@Res({ passthrough: true }) response: Response): Promise<string> {
    const { status, word } = await this.readiness.look();
    response.status(status);
    return word;
  }
}
