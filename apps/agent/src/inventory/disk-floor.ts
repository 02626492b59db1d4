import type { DiskSpace } from './machine.js';

const FLOOR_SHARE = 0.05;
const FLOOR_BYTES = 1024 * 1024 * 1024;
/** Offers are taken again only well above the floor, so that a disk at the edge does not flap. */
const RELEASE_FACTOR = 1.2;

/**
 * Whether the disk is too full for more jobs: below 5 % free and below 1 GiB, so neither a huge disk nor a small one is
 * called full too early. Unknown space is never called full.
 */
export function isBelowFloor(disk: DiskSpace | null, wasBelow: boolean): boolean {
  if (!disk) return false;
  const floorBytes = Math.min(FLOOR_SHARE * disk.totalBytes, FLOOR_BYTES);
  return disk.freeBytes < floorBytes * (wasBelow ? RELEASE_FACTOR : 1);
}
