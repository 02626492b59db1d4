/** What workers of other systems say that our own do not: columns of the same rows, for their adapters keep nothing. */
export const ADAPTERS = `
alter table worker
  -- The adapter by which a worker of another make came, the id it knows itself by there, and what it registered with, as sent.
  add column adapter text check (adapter in ('finetunelab', 'morag')),
  add column foreign_id text,
  add column registration jsonb,
  -- What a worker says of itself, where its own words are kept: what it can do, tasks it has, figures, how it stands.
  add column features text[] not null default '{}',
  add column load integer check (load >= 0),
  add column metrics jsonb,
  add column reported_status text check (reported_status in ('online', 'busy', 'maintenance', 'error', 'offline')),
  add constraint worker_foreign_has_adapter check (foreign_id is null or adapter is not null);
-- One worker for each id that another system made; a removed one leaves it free.
create unique index worker_foreign_unique on worker (adapter, foreign_id) where removed_at is null and foreign_id is not null;

-- The point as a worker of another make sent it, which wants it back like that; null for ours.
alter table metric_point add column sent jsonb;
`;
