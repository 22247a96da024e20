-- Dry runs. Nothing of one outlives its ten minutes: the row goes, and with it the bytes under raw/tmp/.
CREATE TABLE inspections (
  id uuid PRIMARY KEY,
  org_id bigint NOT NULL REFERENCES orgs,
  dataset_id uuid,
  name text NOT NULL,
  raw_key text NOT NULL,
  bytes bigint NOT NULL,
  options jsonb NOT NULL,
  rules jsonb NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  lease_until timestamptz,
  report jsonb,
  fault jsonb,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '10 minutes'
);
CREATE INDEX inspections_expiry ON inspections (expires_at);
