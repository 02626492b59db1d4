/** What a hunt needs of the simulation: the entry of the script that a mutant becomes. */
export { runSchedule } from '../schedule.js';
export { PRODUCT } from '../world/reducers.js';
