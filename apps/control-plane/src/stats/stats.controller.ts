import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { StatsViewDto } from '@muster/dto';
import type { StatsView } from '@muster/protocol';
import { Requires } from '../http/access.js';
import { Answers } from '../http/answers.js';
import { StatsReader } from './stats-reader.js';

@Requires('viewer')
@ApiTags('Jobs')
@Controller('api/v1/stats')
export class StatsController {
  constructor(private readonly stats: StatsReader) {}

  @Get()
  @Answers({ summary: 'Count jobs', description: 'By status, with what moved lately. Costs the same however many there are.', type: StatsViewDto })
  getStats(): Promise<StatsView> {
    return this.stats.read();
  }
}
