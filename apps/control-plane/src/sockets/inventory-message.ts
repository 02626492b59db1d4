import { CAPABILITIES, CONTAINMENT_RUNGS, LIMITS, type GpuInfo, type Inventory } from '@muster/protocol';
import {
  readFlag, readInteger, readList, readNullable, readNumber, readObject, readOneOf, readRecord, readText, type Fields, type Reader,
} from './readers.js';

const readShort = readText(LIMITS.nameBytesMax);
const readWord = readText(LIMITS.labelBytesMax);

const readGpu: Reader<GpuInfo> = (value, at) => {
  const fields = readObject(value, at);
  return {
    index: readInteger(0, LIMITS.gpuIndexMax)(fields.index, `${at}.index`),
    uuid: readNullable(readShort)(fields.uuid, `${at}.uuid`),
    model: readShort(fields.model, `${at}.model`),
    memoryMb: readNullable(readNumber)(fields.memoryMb, `${at}.memoryMb`),
    driver: readNullable(readShort)(fields.driver, `${at}.driver`),
  };
};

export const readInventory: Reader<Inventory> = (value, at) => {
  const fields = readObject(value, at);
  const text = (name: keyof Inventory): string => readShort(fields[name], `${at}.${name}`);
  const number = (name: keyof Inventory): number => readNumber(fields[name], `${at}.${name}`);
  return {
    hostname: text('hostname'),
    platform: text('platform'),
    arch: text('arch'),
    osRelease: text('osRelease'),
    cpuModel: text('cpuModel'),
    cpuCores: number('cpuCores'),
    memoryMb: number('memoryMb'),
    diskMb: readNullable(readNumber)(fields.diskMb, `${at}.diskMb`),
    gpus: readList(readGpu, LIMITS.gpusMax)(fields.gpus, `${at}.gpus`),
    capability: readOneOf(CAPABILITIES)(fields.capability, `${at}.capability`),
    contentTypes: readList(readWord, 100)(fields.contentTypes, `${at}.contentTypes`),
    labels: readRecord(readWord, LIMITS.labelsMax)(fields.labels, `${at}.labels`),
    containment: readContainment(readObject(fields.containment, `${at}.containment`), `${at}.containment`),
    limits: readLimits(readObject(fields.limits, `${at}.limits`), `${at}.limits`),
    signalKnown: readFlag(fields.signalKnown, `${at}.signalKnown`),
    runKinds: readList(readWord, 100)(fields.runKinds, `${at}.runKinds`),
  };
};

function readContainment(fields: Fields, at: string): Inventory['containment'] {
  return {
    default: readOneOf(CONTAINMENT_RUNGS)(fields.default, `${at}.default`),
    available: readList(readOneOf(CONTAINMENT_RUNGS), CONTAINMENT_RUNGS.length)(fields.available, `${at}.available`),
    notes: readList(readText(1_000), 100)(fields.notes, `${at}.notes`),
  };
}

function readLimits(fields: Fields, at: string): Inventory['limits'] {
  const read = (name: keyof Inventory['limits']) => readOneOf(['hard', 'sampled', 'none'])(fields[name], `${at}.${name}`);
  return {
    runSeconds: read('runSeconds'),
    silenceSeconds: read('silenceSeconds'),
    memoryMb: read('memoryMb'),
    cpus: read('cpus'),
    logBytes: read('logBytes'),
  };
}
