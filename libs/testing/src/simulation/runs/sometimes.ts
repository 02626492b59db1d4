/** What must have happened at least once over a whole run: a schedule in which nothing goes wrong proves nothing. */
import type { Profile } from '../settings/settings.js';

const BOTH = [
  'adopted', 'agent crashes', 'agent freezes', 'replica crashes', 'replica freezes', 'reboots', 'database outages', 'clock steps', 'messages lost',
  'messages doubled', 'messages late', 'one-way partitions', 'two-way partitions', 'warden deaths', 'supervisor deaths', 'full disks', 'unkillable processes',
  'processes over REST', 'program crashes', 'claims answered', 'claims given back', 'programs superseded', 'registered again with jobs',
  'programs told to register again', 'worker.cordoned', 'worker.drained', 'worker.drainDeadline', 'worker.undrained', 'worker.removed', 'slots changed live', 'usurpers', 'disks copied', 'intents copied', 'agent exit superseded', 'agent stops, jobs kept', 'agent stops with its jobs', 'superseded sender', 'stale end refused', 'end repeated',
  'log bytes repeated', 'spawn too late', 'refused noSlot', 'refused agentStopping', 'refused diskFloor', 'start refused, expired', 'start refused, superseded',
  'job.requeued', 'job.cancelled', 'job.failed', 'job.completed', 'outcome lost', 'outcome spawnFailed', 'outcome unkillable',
  'verdict stop', 'verdict reportEnd', 'queue limits passed', 'people pause', 'processes frozen', 'processes thawed', 'verdict keep, freeze',
  'verdict keep, thaw', 'verdict keep, forceStop', 'cancelled while frozen', 'cancelled while held', 'illegal action refused',
];

/** By profile; each of them many times over in a thousand schedules. */
export const SOMETIMES: Record<Profile, readonly string[]> = {
  exclusive: [...BOTH, 'start refused, cancelled', 'absence not believed', 'fenced', 'verdict unleased'],
  reclaim: [...BOTH, 'job.reclaimed', 'reclaim told again', 'verdict reclaimed', 'late end accepted', 'job.waiting', 'poison jobs', 'late first hellos refused'],
};
