import {
  LIMITS, WORKER_FAULTS, type AttemptSample, type GpuSample, type WorkerFault, type WorkerSample,
} from '@muster/protocol';
import { InvalidMessage } from './invalid-message.js';
import { toStorableText } from './message-shape.js';
import { readId, readInteger, readList, readNullable, readNumber, readObject, type Reader } from './readers.js';

const ATTEMPTS_MAX = 20_000;
const FAULTS_MAX = 100;
const DETAIL_MAX = 1_000;

/** Bytes, seconds, shares, watts: nothing that is measured here is below 0. */
const readAmount: Reader<number | null> = (value, at) => {
  const amount = readNullable(readNumber)(value, at);
  if (amount !== null && amount < 0) throw new InvalidMessage(at, `expected a number from 0, found ${amount}`);
  return amount;
};

const readGpu: Reader<GpuSample> = (value, at) => {
  const fields = readObject(value, at);
  const read = (name: keyof GpuSample): number | null => readAmount(fields[name], `${at}.${name}`);
  return {
    index: readInteger(0, LIMITS.gpuIndexMax)(fields.index, `${at}.index`),
    utilisationPercent: read('utilisationPercent'),
    memoryUsedMb: read('memoryUsedMb'),
    memoryTotalMb: read('memoryTotalMb'),
    temperatureCelsius: readNullable(readNumber)(fields.temperatureCelsius, `${at}.temperatureCelsius`),
    powerWatts: read('powerWatts'),
  };
};

const readAttempt: Reader<AttemptSample> = (value, at) => {
  const fields = readObject(value, at);
  const read = (name: keyof AttemptSample): number | null => readAmount(fields[name], `${at}.${name}`);
  return {
    attemptId: readId('att')(fields.attemptId, `${at}.attemptId`),
    cpuSeconds: read('cpuSeconds'),
    memoryBytes: read('memoryBytes'),
    gpuMemoryMb: read('gpuMemoryMb'),
  };
};

/** Null for a fault that this control plane does not know yet. */
const readFault: Reader<WorkerFault | null> = (value, at) => {
  const fields = readObject(value, at);
  const code = WORKER_FAULTS.find((known) => known === fields.code);
  return code === undefined ? null : { code, detail: toStorableText(String(fields.detail ?? ''), DETAIL_MAX) };
};

const RATES = [
  'networkReceivedBytesPerSecond', 'networkSentBytesPerSecond', 'diskReadBytesPerSecond', 'diskWrittenBytesPerSecond',
] as const;

/** What an older agent does not tell stays absent. */
export const readSample: Reader<WorkerSample> = (value, at) => {
  const fields = readObject(value, at);
  const read = (name: keyof WorkerSample): number | null => readNullable(readNumber)(fields[name], `${at}.${name}`);
  const told = (name: keyof WorkerSample): boolean => fields[name] !== undefined && fields[name] !== null;
  return {
    cpuPercent: read('cpuPercent'),
    memoryUsedMb: read('memoryUsedMb'),
    diskFreeMb: read('diskFreeMb'),
    ...Object.fromEntries(
      RATES.filter((name) => fields[name] !== undefined).map((name) => [name, readAmount(fields[name], `${at}.${name}`)]),
    ),
    ...(told('gpus') ? { gpus: readList(readGpu, LIMITS.gpusMax)(fields.gpus, `${at}.gpus`) } : {}),
    ...(told('attempts') ? { attempts: readList(readAttempt, ATTEMPTS_MAX)(fields.attempts, `${at}.attempts`) } : {}),
    ...(told('faults')
      ? { faults: readList(readFault, FAULTS_MAX)(fields.faults, `${at}.faults`).filter((fault) => fault !== null) }
      : {}),
  };
};
