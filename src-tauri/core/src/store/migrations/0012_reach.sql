-- The public address: how it is made, which ones there were, and where each service was told to call.
CREATE TABLE tunnel (
  one      INTEGER PRIMARY KEY CHECK (one = 1),
  driver   TEXT NOT NULL,
  settings TEXT NOT NULL,
  set_at   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE tunnel_address (
  id        INTEGER PRIMARY KEY,
  driver    TEXT NOT NULL,
  url       TEXT NOT NULL,
  from_at   INTEGER NOT NULL,
  last_at   INTEGER NOT NULL,
  requests  INTEGER NOT NULL DEFAULT 0,
  bytes_in  INTEGER NOT NULL DEFAULT 0,
  bytes_out INTEGER NOT NULL DEFAULT 0
);

-- The keys that SSH servers showed at the first visit.
CREATE TABLE tunnel_host_key (
  server      TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  seen_at     INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE registration (
  connection   TEXT PRIMARY KEY REFERENCES connection (id) ON DELETE CASCADE,
  desired_url  TEXT NOT NULL,
  state        TEXT NOT NULL CHECK (state IN ('waiting', 'registering', 'confirmed', 'failed', 'manual', 'elsewhere')),
  confirmed_url TEXT,
  error        TEXT,
  tried_at     INTEGER,
  next_at      INTEGER,
  confirmed_at INTEGER,
  attempts     INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- What the last look at each connection's whole way found.
CREATE TABLE canary (
  connection TEXT PRIMARY KEY REFERENCES connection (id) ON DELETE CASCADE,
  looked_at  INTEGER NOT NULL,
  proven_at  INTEGER,
  hop        TEXT,
  reason     TEXT,
  pending    INTEGER
) WITHOUT ROWID;
