import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which GPUs a worker's agent cannot give to anybody, so that nobody is offered them. */
export class GpusHeld0002 implements MigrationInterface {
  // TypeORM orders migrations by the thirteen digits at the end.
  name = 'GpusHeld1795392000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Indexes of GPUs that a process without a lease holds: not proven dead, or on its way out.
      alter table worker add column gpus_held integer[] not null default '{}'
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only: restore a backup instead.');
  }
}
