export { retryDelayMs } from './retry.js';
