import { RENEW_LEASE } from './leases.sql.js';

export const renew = RENEW_LEASE;
