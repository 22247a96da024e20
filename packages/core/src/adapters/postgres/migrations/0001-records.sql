-- Everything belongs to an org. The first org is 0.
CREATE TABLE orgs (
  id bigint PRIMARY KEY,
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO orgs (id, name) VALUES (0, 'default');

-- The key itself is shown once and kept nowhere: `prefix` finds the row, `hash` (SHA-256) proves the rest.
CREATE TABLE api_keys (
  id uuid PRIMARY KEY,
  org_id bigint NOT NULL REFERENCES orgs,
  prefix text NOT NULL UNIQUE,
  hash bytea NOT NULL,
  name text NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);

-- Values that all replicas share, such as the secret that signs links.
CREATE TABLE settings (
  name text PRIMARY KEY,
  value text NOT NULL
);

-- Who does a housekeeper's work just now.
CREATE TABLE leases (
  name text PRIMARY KEY,
  holder text NOT NULL,
  until timestamptz NOT NULL
);

CREATE TABLE datasets (
  id uuid PRIMARY KEY,
  org_id bigint NOT NULL REFERENCES orgs,
  path text NOT NULL,
  policy text NOT NULL,
  on_bad_row text NOT NULL,
  max_rejects jsonb NOT NULL,
  declared jsonb NOT NULL DEFAULT '{}',
  live_generation_id uuid NOT NULL,
  last_generation int NOT NULL DEFAULT 1,
  -- Counts every change of what readers see; current.json trails it.
  version bigint NOT NULL DEFAULT 0,
  written_version bigint NOT NULL DEFAULT -1,
  -- Versions below this one can no longer be listed: parts they showed are collected.
  collected_version bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (org_id, path)
);
CREATE INDEX datasets_below ON datasets (org_id, path text_pattern_ops);
CREATE INDEX datasets_by_id ON datasets (org_id, id);
CREATE INDEX datasets_unwritten ON datasets (id) WHERE written_version < version;

CREATE SEQUENCE sync_ids;
CREATE TABLE syncs (
  id bigint PRIMARY KEY,
  org_id bigint NOT NULL REFERENCES orgs,
  dataset_id uuid NOT NULL REFERENCES datasets,
  name text NOT NULL,
  path text NOT NULL,
  type text NOT NULL CHECK (type IN ('full', 'incremental')),
  state text NOT NULL CHECK (state IN ('open', 'ending', 'finished', 'failed', 'expired', 'cancelled', 'superseded')),
  -- The one that holds uploads made without a sync.
  implicit boolean NOT NULL DEFAULT false,
  on_file_error text NOT NULL DEFAULT 'publish',
  allow_empty boolean NOT NULL DEFAULT false,
  on_bad_row text,
  max_rejects jsonb,
  idle_ms bigint,
  -- What a full sync builds; null for an incremental one.
  generation_id uuid,
  -- The dataset's version when the sync began: what others load later is carried over.
  start_version bigint NOT NULL,
  -- What it will be once current.json has reached the version at which its outcome became visible.
  outcome text CHECK (outcome IN ('finished', 'failed', 'superseded')),
  outcome_version bigint,
  message text NOT NULL DEFAULT '',
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ending_at timestamptz,
  ended_at timestamptz,
  CHECK ((ended_at IS NULL) = (state IN ('open', 'ending')))
);
CREATE INDEX syncs_by_org ON syncs (org_id, id) WHERE NOT implicit;
CREATE INDEX syncs_by_path ON syncs (org_id, path, id) WHERE NOT implicit;
CREATE INDEX syncs_live ON syncs (org_id, id) WHERE state IN ('open', 'ending');
CREATE UNIQUE INDEX syncs_implicit ON syncs (dataset_id) WHERE implicit;

-- Totals as counters, changed in the transaction of the move they count. Sharded, so that uploads to one sync do not queue for one row.
CREATE TABLE sync_counts (
  sync_id bigint NOT NULL REFERENCES syncs,
  shard smallint NOT NULL,
  total bigint NOT NULL DEFAULT 0,
  failed bigint NOT NULL DEFAULT 0,
  loaded bigint NOT NULL DEFAULT 0,
  stored bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (sync_id, shard)
) WITH (fillfactor = 50);

CREATE TABLE generations (
  id uuid PRIMARY KEY,
  dataset_id uuid NOT NULL REFERENCES datasets,
  number int NOT NULL,
  state text NOT NULL CHECK (state IN ('building', 'live', 'trashed', 'dropped')),
  sync_id bigint REFERENCES syncs,
  -- Order of the full sync's start: an older one never replaces a newer one.
  start_order bigint NOT NULL DEFAULT 0,
  schemas jsonb NOT NULL DEFAULT '{}',
  schema_version int NOT NULL DEFAULT 0,
  since_version bigint,
  until_version bigint,
  created_at timestamptz NOT NULL DEFAULT now(),
  dropped_at timestamptz,
  UNIQUE (dataset_id, number)
);
CREATE INDEX generations_dropped ON generations (dropped_at) WHERE state = 'dropped';

CREATE SEQUENCE history_numbers;
CREATE TABLE files (
  id uuid PRIMARY KEY,
  org_id bigint NOT NULL REFERENCES orgs,
  dataset_id uuid REFERENCES datasets,
  sync_id bigint REFERENCES syncs,
  -- Null until the file is acknowledged; ascending in commit order.
  history_no bigint,
  name text NOT NULL,
  sub_path text NOT NULL DEFAULT '',
  state text NOT NULL CHECK (state IN ('receiving', 'aborted', 'fetching', 'staged', 'claimed', 'waiting', 'loaded', 'stored', 'failed')),
  epoch int NOT NULL DEFAULT 0,
  attempts int NOT NULL DEFAULT 0,
  strikes int NOT NULL DEFAULT 0,
  lost_leases int NOT NULL DEFAULT 0,
  worker text,
  lease_until timestamptz,
  due_at timestamptz,
  enqueued_at timestamptz,
  raw_key text NOT NULL,
  raw_removed_at timestamptz,
  bytes bigint,
  sha256 text,
  content_type text,
  options jsonb NOT NULL DEFAULT '{}',
  rules jsonb NOT NULL DEFAULT '{}',
  detected jsonb,
  rows_read bigint NOT NULL DEFAULT 0,
  rows_loaded bigint NOT NULL DEFAULT 0,
  rows_rejected bigint NOT NULL DEFAULT 0,
  rows_skipped bigint NOT NULL DEFAULT 0,
  warnings bigint NOT NULL DEFAULT 0,
  rejects_key text,
  progress_rows bigint NOT NULL DEFAULT 0,
  progress_bytes bigint NOT NULL DEFAULT 0,
  fault jsonb,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  staged_at timestamptz,
  claimed_at timestamptz,
  finished_at timestamptz,
  CHECK (rows_read = rows_loaded + rows_rejected + rows_skipped),
  CHECK (state <> 'failed' OR rows_loaded = 0),
  CHECK ((state = 'failed') = (fault IS NOT NULL AND finished_at IS NOT NULL)),
  CHECK (state IN ('receiving', 'aborted', 'fetching') OR (bytes IS NOT NULL AND sha256 IS NOT NULL AND sync_id IS NOT NULL AND history_no IS NOT NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX files_history ON files (org_id, history_no) WHERE history_no IS NOT NULL;
CREATE INDEX files_by_sync ON files (sync_id, history_no) WHERE history_no IS NOT NULL;
CREATE INDEX files_by_dataset ON files (dataset_id, history_no) WHERE history_no IS NOT NULL;
CREATE INDEX files_by_name ON files (org_id, name, history_no) WHERE history_no IS NOT NULL;
CREATE INDEX files_open ON files (sync_id) WHERE state IN ('fetching', 'staged', 'claimed', 'waiting');
CREATE INDEX files_syncing ON files (org_id, history_no) WHERE state IN ('fetching', 'staged', 'claimed', 'waiting');
CREATE INDEX files_failed ON files (org_id, history_no) WHERE state = 'failed';
CREATE INDEX files_due ON files (org_id, due_at) WHERE state IN ('staged', 'waiting') AND enqueued_at IS NULL;
CREATE INDEX files_enqueued ON files (org_id, enqueued_at) WHERE state IN ('staged', 'waiting') AND enqueued_at IS NOT NULL;
CREATE INDEX files_leased ON files (lease_until) WHERE state = 'claimed';
CREATE INDEX files_receiving ON files (received_at) WHERE state = 'receiving';

-- The columns of parts, each distinct list once.
CREATE TABLE part_schemas (
  hash text PRIMARY KEY,
  columns jsonb NOT NULL
);

-- Immutable Parquet objects, and the opaque files that belong to a generation (`kind`).
CREATE TABLE parts (
  id uuid PRIMARY KEY,
  org_id bigint NOT NULL REFERENCES orgs,
  dataset_id uuid NOT NULL REFERENCES datasets,
  generation_id uuid NOT NULL REFERENCES generations,
  kind text NOT NULL CHECK (kind IN ('part', 'opaque')),
  table_name text,
  name text NOT NULL DEFAULT '',
  object_key text NOT NULL,
  rows bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL,
  sha256 text NOT NULL,
  schema_hash text REFERENCES part_schemas,
  -- The version that first showed its rows, kept when it is carried over.
  loaded_version bigint NOT NULL,
  since_version bigint NOT NULL,
  until_version bigint,
  dead_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX parts_by_generation ON parts (generation_id, id);
CREATE INDEX parts_by_key ON parts (object_key);
CREATE INDEX parts_dead ON parts (dead_at) WHERE dead_at IS NOT NULL;

CREATE TABLE part_files (
  part_id uuid NOT NULL REFERENCES parts ON DELETE CASCADE,
  file_id uuid NOT NULL REFERENCES files,
  rows bigint NOT NULL,
  PRIMARY KEY (part_id, file_id)
);
CREATE INDEX part_files_by_file ON part_files (file_id);

-- The first 100 rejects of a file's last attempt; the object under rejects_key has the rest.
CREATE TABLE rejects (
  file_id uuid NOT NULL REFERENCES files,
  ordinal int NOT NULL,
  table_name text NOT NULL,
  row_no bigint NOT NULL,
  byte_offset bigint,
  column_name text,
  raw text,
  reason text NOT NULL,
  PRIMARY KEY (file_id, ordinal)
);

CREATE TABLE trash (
  id uuid PRIMARY KEY,
  org_id bigint NOT NULL REFERENCES orgs,
  dataset_id uuid NOT NULL REFERENCES datasets,
  generation_id uuid NOT NULL REFERENCES generations,
  kind text NOT NULL CHECK (kind IN ('full_sync', 'restore')),
  state text NOT NULL CHECK (state IN ('trashed', 'restored', 'expired')),
  sync_id bigint REFERENCES syncs,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  ended_at timestamptz
);
CREATE INDEX trash_by_org ON trash (org_id, id);
CREATE INDEX trash_due ON trash (expires_at) WHERE state = 'trashed';

CREATE TABLE idempotency_keys (
  org_id bigint NOT NULL REFERENCES orgs,
  key text NOT NULL,
  -- Null while the first request runs.
  fingerprint text,
  status int,
  answer jsonb,
  token uuid NOT NULL,
  lease_until timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (org_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Explicit changes of a table's schema, carried out by a worker.
CREATE TABLE schema_changes (
  id uuid PRIMARY KEY,
  org_id bigint NOT NULL REFERENCES orgs,
  dataset_id uuid NOT NULL REFERENCES datasets,
  table_name text NOT NULL,
  columns jsonb NOT NULL,
  dropped jsonb NOT NULL DEFAULT '[]',
  -- The most rejects a file may have under the new types; null: what its own rules say.
  max_rejects jsonb,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'failed')),
  fault jsonb,
  lease_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz
);
CREATE INDEX schema_changes_pending ON schema_changes (id) WHERE state = 'pending';
