export const port = (): string | undefined => process.env['MUSTER_PORT'];
