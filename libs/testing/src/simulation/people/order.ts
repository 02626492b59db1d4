/** How a command of a person reaches the control plane. */
import type { ServerCommand } from '@muster/domain';
import type { Random } from '../world/random.js';
import type { World } from '../world/world.js';

/** A person who is not answered tries again so often. */
const PATIENCE = 5;

/** Through any replica that answers. A command whose answer was lost is given again, and must not mind. */
export function order(world: World, random: Random, command: ServerCommand, triesLeft = PATIENCE): void {
  const replica = random.pick(world.replicas);
  const isHeard = replica.isAlive && !replica.isFrozen && world.database.isUp;
  if (isHeard) {
    world.count(`people ${command.type}`);
    replica.step(random.between(1, 20), () => replica.decide(command));
  }
  if ((!isHeard || random.chance(0.2)) && triesLeft > 0) world.after(random.between(500, 3_000), () => order(world, random, command, triesLeft - 1));
}
