export const late = async (): Promise<number> => await 1;
