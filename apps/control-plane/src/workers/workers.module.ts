import { Module } from '@nestjs/common';
import { EngineModule } from '../engine/engine.module.js';
import { WorkerOrdersController } from './orders/worker-orders.controller.js';
import { WorkerOrders } from './orders/worker-orders.js';
import { WorkerReader } from './worker-reader.js';
import { WorkersController } from './workers.controller.js';

/** Looking at workers, and what people order about them. They register over their socket (`sockets/`). */
@Module({ imports: [EngineModule], controllers: [WorkersController, WorkerOrdersController], providers: [WorkerReader, WorkerOrders] })
export class WorkersModule {}
