import { Module } from '@nestjs/common';
import { SampleReader } from './sample-reader.js';
import { SampleRollUp } from './sample-roll-up.js';
import { SamplesController } from './samples.controller.js';

/** Machines over time: rolled up here, read here. `SampleIngest` (workers/) writes, `retention/` drops. */
@Module({ controllers: [SamplesController], providers: [SampleReader, SampleRollUp], exports: [SampleRollUp] })
export class SamplesModule {}
