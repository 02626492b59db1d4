import { Module } from '@nestjs/common';
import { KeysModule } from '../keys/keys.module.js';
import { LogAnswers } from './log-answers.js';
import { LogChunks } from './log-chunks.js';
import { LogDownloads } from './log-download.js';
import { LogFollow } from './log-follow.js';
import { LogReader } from './log-reader.js';
import { LogSearch } from './log-search.js';
import { LogTailsModule } from './log-tails.module.js';
import { LogTargets } from './log-targets.js';
import { LogsController } from './logs.controller.js';

/** The reading side of logs; `LogIngest` writes. */
@Module({
  imports: [KeysModule, LogTailsModule],
  controllers: [LogsController],
  providers: [LogAnswers, LogChunks, LogDownloads, LogFollow, LogReader, LogSearch, LogTargets],
  exports: [LogChunks],
})
export class LogReadingModule {}
