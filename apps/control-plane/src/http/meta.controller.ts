import { Controller, Get, Inject } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { MetaViewDto } from '@muster/dto';
import { API_BASE, LIMITS, PROTOCOL_VERSION_TEXT } from '@muster/protocol';
import type { MetaView } from '@muster/protocol';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import { Requires } from './access.js';
import { Answers } from './answers.js';
import { VERSION } from './openapi.js';

@Requires('anyKey')
@ApiTags('Meta')
@Controller('api/v1/meta')
export class MetaController {
  constructor(@Inject(CONFIG) private readonly config: ControlPlaneConfig) {}

  @Get()
  @Answers({ summary: 'Version and limits', type: MetaViewDto })
  getMeta(): MetaView {
    return {
      version: VERSION,
      protocolVersion: PROTOCOL_VERSION_TEXT,
      apiBase: API_BASE,
      limits: LIMITS,
      workerTimeoutMs: this.config.workerTimeoutMs,
      jobRetentionMs: this.config.jobRetentionMs,
      logRetentionMs: this.config.logRetentionMs,
      sampleRetentionMs: this.config.sampleRetentionMs,
    };
  }
}
