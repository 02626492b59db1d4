import { CAPABILITIES, CONTAINMENT_RUNGS, LIMITS, PLATFORMS, type GpuInfo, type Inventory, type Platform } from '@muster/protocol';
import { InvalidMessage } from './invalid-message.js';
import {
  readFlag, readInteger, readList, readNullable, readNumber, readObject, readOneOf, readRecord, readText, type Fields, type Reader,
} from './readers.js';

const readShort = readText(LIMITS.nameBytesMax);
const readWord = readText(LIMITS.labelBytesMax);

/** A PiB of memory and an EiB of disk, in MiB: what no machine has is a mistake. */
const MEMORY_MB_MAX = 2 ** 30;
const DISK_MB_MAX = 2 ** 40;
const CORES_MAX = 65_536;

function readSize(max: number): Reader<number> {
  return (value, at) => {
    const size = readNumber(value, at);
    if (size < 0 || size > max) throw new InvalidMessage(at, `expected a number from 0 to ${max}, found ${size}`);
    return size;
  };
}

/** Agents of the first version say what Node says. */
const readPlatform: Reader<Platform> = (value, at) => readOneOf(PLATFORMS)(value === 'win32' ? 'windows' : value, at);

const readGpu: Reader<GpuInfo> = (value, at) => {
  const fields = readObject(value, at);
  return {
    index: readInteger(0, LIMITS.gpuIndexMax)(fields.index, `${at}.index`),
    uuid: readNullable(readShort)(fields.uuid, `${at}.uuid`),
    model: readShort(fields.model, `${at}.model`),
    memoryMb: readNullable(readSize(MEMORY_MB_MAX))(fields.memoryMb, `${at}.memoryMb`),
    driver: readNullable(readShort)(fields.driver, `${at}.driver`),
  };
};

export const readInventory: Reader<Inventory> = (value, at) => {
  const fields = readObject(value, at);
  const text = (name: keyof Inventory): string => readShort(fields[name], `${at}.${name}`);
  return {
    hostname: text('hostname'),
    platform: readPlatform(fields.platform, `${at}.platform`),
    arch: text('arch'),
    osRelease: text('osRelease'),
    cpuModel: text('cpuModel'),
    cpuCores: readSize(CORES_MAX)(fields.cpuCores, `${at}.cpuCores`),
    memoryMb: readSize(MEMORY_MB_MAX)(fields.memoryMb, `${at}.memoryMb`),
    diskMb: readNullable(readSize(DISK_MB_MAX))(fields.diskMb, `${at}.diskMb`),
    gpus: readGpus(fields.gpus, `${at}.gpus`),
    capability: readOneOf(CAPABILITIES)(fields.capability, `${at}.capability`),
    contentTypes: readList(readWord, 100)(fields.contentTypes, `${at}.contentTypes`),
    labels: readRecord(readWord, LIMITS.labelsMax)(fields.labels, `${at}.labels`),
    containment: readContainment(readObject(fields.containment, `${at}.containment`), `${at}.containment`),
    limits: readLimits(readObject(fields.limits, `${at}.limits`), `${at}.limits`),
    signalKnown: readFlag(fields.signalKnown, `${at}.signalKnown`),
    runKinds: readList(readWord, 100)(fields.runKinds, `${at}.runKinds`),
  };
};

const readGpus: Reader<readonly GpuInfo[]> = (value, at) => {
  const gpus = readList(readGpu, LIMITS.gpusMax)(value, at);
  const twice = gpus.findIndex(({ index }, place) => gpus.some((other, before) => before < place && other.index === index));
  if (twice !== -1) throw new InvalidMessage(`${at}[${twice}].index`, `${gpus[twice]?.index} stands there twice`);
  return gpus;
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
