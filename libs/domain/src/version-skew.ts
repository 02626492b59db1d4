import type { VersionSkew } from '@muster/protocol';

/** `1.2.3` or `1.2.3-beta.1`; what comes after a plus means nothing. */
const VERSION = /^v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]+))?(?:\+.*)?$/;

/** How an agent's version compares with the control plane's, by the order of semantic versions. */
export function versionSkew(agentVersion: string, controlPlaneVersion: string): VersionSkew {
  const [agent, ours] = [VERSION.exec(agentVersion), VERSION.exec(controlPlaneVersion)];
  if (agent === null || ours === null) return 'unknown';
  const order = compareCore(agent, ours) || comparePrereleases(agent[4], ours[4]);
  if (order === 0) return 'same';
  return order < 0 ? 'older' : 'newer';
}

function compareCore(left: RegExpExecArray, right: RegExpExecArray): number {
  for (const place of [1, 2, 3]) {
    const difference = Number(left[place]) - Number(right[place]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** A version without a prerelease comes after all of its own. */
function comparePrereleases(left: string | undefined, right: string | undefined): number {
  if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
  const [lefts, rights] = [left.split('.'), right.split('.')];
  for (let place = 0; place < Math.max(lefts.length, rights.length); place++) {
    const order = compareParts(lefts[place], rights[place]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers compare as numbers and go before words; a shorter list goes before a longer one. */
function compareParts(left: string | undefined, right: string | undefined): number {
  if (left === undefined || right === undefined) return Number(left !== undefined) - Number(right !== undefined);
  const [isLeftNumber, isRightNumber] = [left, right].map((part) => /^\d+$/.test(part));
  if (isLeftNumber && isRightNumber) return Number(left) - Number(right);
  if (isLeftNumber !== isRightNumber) return isLeftNumber ? -1 : 1;
  return left === right ? 0 : left < right ? -1 : 1;
}
