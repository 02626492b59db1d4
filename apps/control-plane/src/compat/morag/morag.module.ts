import { Module } from '@nestjs/common';
import { ForeignModule } from '../foreign.module.js';
import { MoragController } from './morag.controller.js';
import { MoragRegistry } from './morag-registry.js';

/** `/compat/morag`: the worker registry that MoRAG's workers know. */
@Module({ imports: [ForeignModule], controllers: [MoragController], providers: [MoragRegistry] })
export class MoragModule {}
