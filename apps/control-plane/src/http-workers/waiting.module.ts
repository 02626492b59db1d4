import { Module } from '@nestjs/common';
import { WaitingClaims } from './waiting-claims.js';

/** Between the dispatcher, which grants, and the requests that wait; knows neither. */
@Module({ providers: [WaitingClaims], exports: [WaitingClaims] })
export class WaitingModule {}
