import { Module } from '@nestjs/common';
import { LogTails } from './log-tails.js';

/** Between those who store log bytes and those who follow them. */
@Module({ providers: [LogTails], exports: [LogTails] })
export class LogTailsModule {}
