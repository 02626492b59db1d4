import {
  LIMITS, WORKER_FAULTS, type AttemptSample, type GpuSample, type WorkerFault, type WorkerSample,
} from '@muster/protocol';
import { InvalidMessage } from './invalid-message.js';
import { toStorableText } from './message-shape.js';
import { readId, readInteger, readList, readNullable, readNumber, readObject, type Reader } from './readers.js';

const ATTEMPTS_MAX = 20_000;
const FAULTS_MAX = 100;
const DETAIL_MAX = 1_000;

/** A number in a range, or null for what is not known. No machine has more than that: it is a mistake, or a lie. */
function readAmount(max: number, min = 0): Reader<number | null> {
  return (value, at) => {
    const amount = readNullable(readNumber)(value, at);
    if (amount !== null && (amount < min || amount > max)) throw new InvalidMessage(at, `expected a number from ${min} to ${max}, found ${amount}`);
    return amount;
  };
}

/** A PiB in MiB. */
const readMemoryMb = readAmount(2 ** 30);
/** An EiB in MiB. */
const readDiskMb = readAmount(2 ** 40);
/** A TiB in a second. */
const readRate = readAmount(2 ** 40);
const readPercent = readAmount(100);
/** A million cores for a thousand years. */
const readSeconds = readAmount(1e17);
const readBytes = readAmount(2 ** 50);
const readCelsius = readAmount(1_000, -273);
const readWatts = readAmount(100_000);

const noneTwice = <T>(items: readonly T[], keyOf: (item: T) => number | string, at: string): readonly T[] => {
  const seen = new Set<number | string>();
  for (const [place, item] of items.entries()) {
    if (seen.has(keyOf(item))) throw new InvalidMessage(`${at}[${place}]`, `${keyOf(item)} stands there twice`);
    seen.add(keyOf(item));
  }
  return items;
};

const readGpu: Reader<GpuSample> = (value, at) => {
  const fields = readObject(value, at);
  return {
    index: readInteger(0, LIMITS.gpuIndexMax)(fields.index, `${at}.index`),
    utilisationPercent: readPercent(fields.utilisationPercent, `${at}.utilisationPercent`),
    memoryUsedMb: readMemoryMb(fields.memoryUsedMb, `${at}.memoryUsedMb`),
    memoryTotalMb: readMemoryMb(fields.memoryTotalMb, `${at}.memoryTotalMb`),
    temperatureCelsius: readCelsius(fields.temperatureCelsius, `${at}.temperatureCelsius`),
    powerWatts: readWatts(fields.powerWatts, `${at}.powerWatts`),
  };
};

const readAttempt: Reader<AttemptSample> = (value, at) => {
  const fields = readObject(value, at);
  return {
    attemptId: readId('att')(fields.attemptId, `${at}.attemptId`),
    cpuSeconds: readSeconds(fields.cpuSeconds, `${at}.cpuSeconds`),
    memoryBytes: readBytes(fields.memoryBytes, `${at}.memoryBytes`),
    gpuMemoryMb: readMemoryMb(fields.gpuMemoryMb, `${at}.gpuMemoryMb`),
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
  const told = (name: keyof WorkerSample): boolean => fields[name] !== undefined && fields[name] !== null;
  return {
    cpuPercent: readPercent(fields.cpuPercent, `${at}.cpuPercent`),
    memoryUsedMb: readMemoryMb(fields.memoryUsedMb, `${at}.memoryUsedMb`),
    diskFreeMb: readDiskMb(fields.diskFreeMb, `${at}.diskFreeMb`),
    ...Object.fromEntries(
      RATES.filter((name) => fields[name] !== undefined).map((name) => [name, readRate(fields[name], `${at}.${name}`)]),
    ),
    ...(told('gpus') ? { gpus: noneTwice(readList(readGpu, LIMITS.gpusMax)(fields.gpus, `${at}.gpus`), ({ index }) => index, `${at}.gpus`) } : {}),
    ...(told('attempts')
      ? { attempts: noneTwice(readList(readAttempt, ATTEMPTS_MAX)(fields.attempts, `${at}.attempts`), ({ attemptId }) => attemptId, `${at}.attempts`) }
      : {}),
    ...(told('faults')
      ? { faults: readList(readFault, FAULTS_MAX)(fields.faults, `${at}.faults`).filter((fault) => fault !== null) }
      : {}),
  };
};
