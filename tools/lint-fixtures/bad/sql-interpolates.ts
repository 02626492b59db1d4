export const byStatus = (status: string): string => `select id from jobs where status = '${status}'`;
