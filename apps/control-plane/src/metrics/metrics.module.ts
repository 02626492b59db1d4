import { Module } from '@nestjs/common';
import { MetricReader } from './metric-reader.js';
import { MetricsController } from './metrics.controller.js';

/** The reading side of metrics; `MetricIngest` writes. */
@Module({ controllers: [MetricsController], providers: [MetricReader] })
export class MetricsModule {}
