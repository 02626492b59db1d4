import { Module } from '@nestjs/common';
import { BootstrapKeys } from './bootstrap-keys.js';
import { KeyUsage } from './key-usage.js';
import { KeyVerifier } from './key-verifier.js';
import { KeysController } from './keys.controller.js';
import { KeysService } from './keys.service.js';
import { MeController } from './me.controller.js';

@Module({
  controllers: [KeysController, MeController],
  providers: [KeysService, KeyUsage, KeyVerifier, BootstrapKeys],
  exports: [KeyVerifier],
})
export class KeysModule {}
