import { Module } from '@nestjs/common';
import { WorkerReader } from './worker-reader.js';
import { WorkersController } from './workers.controller.js';

/** Looking at workers. They register over their socket (`sockets/`). */
@Module({ controllers: [WorkersController], providers: [WorkerReader] })
export class WorkersModule {}
