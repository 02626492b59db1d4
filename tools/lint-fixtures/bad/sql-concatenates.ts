export const newestFirst = (limit: number): string => 'select id from jobs order by id desc limit ' + limit;
