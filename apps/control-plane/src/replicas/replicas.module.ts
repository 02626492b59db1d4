import { Module } from '@nestjs/common';
import { Fleet } from './fleet.js';
import { ReplicaChannel } from './replica-channel.js';
import { ReplicaMarks } from './replica-marks.js';

@Module({ providers: [Fleet, ReplicaChannel, ReplicaMarks], exports: [Fleet, ReplicaChannel, ReplicaMarks] })
export class ReplicasModule {}
