import { Module } from '@nestjs/common';
import { StatsController } from './stats.controller.js';
import { StatsReader } from './stats-reader.js';

/** How many jobs there are, and how they move. */
@Module({ controllers: [StatsController], providers: [StatsReader] })
export class StatsModule {}
