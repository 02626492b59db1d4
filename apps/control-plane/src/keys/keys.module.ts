import { Module } from '@nestjs/common';
import { BootstrapKeys } from './bootstrap-keys.js';
import { EnrolmentController } from './enrolment.controller.js';
import { EnrolmentTokensService } from './enrolment-tokens.service.js';
import { KeyUsage } from './key-usage.js';
import { KeyVerifier } from './key-verifier.js';
import { JobTokens } from './job-tokens.js';
import { KeysController } from './keys.controller.js';
import { KeysService } from './keys.service.js';
import { MeController } from './me.controller.js';
import { RegistrationLimiter } from './registration-limiter.js';

@Module({
  controllers: [EnrolmentController, KeysController, MeController],
  providers: [KeysService, EnrolmentTokensService, KeyUsage, KeyVerifier, BootstrapKeys, JobTokens, RegistrationLimiter],
  exports: [EnrolmentTokensService, JobTokens, KeyVerifier, RegistrationLimiter],
})
export class KeysModule {}
