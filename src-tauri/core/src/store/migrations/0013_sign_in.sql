-- Somebody was sent to a service's page to sign in. The verifier and whatever the service handed out stand in the vault, by the flow's id.
CREATE TABLE sign_in_flow (
  id           TEXT PRIMARY KEY,
  connection   TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
  state_sha256 BLOB NOT NULL UNIQUE,
  way          TEXT NOT NULL CHECK (way IN ('deep_link', 'loopback', 'public')),
  redirect_uri TEXT NOT NULL,
  client_id    TEXT NOT NULL,
  plan         TEXT NOT NULL,
  status       TEXT NOT NULL CHECK (status IN ('waiting', 'trading', 'choosing', 'settling', 'done', 'failed', 'cancelled')),
  reason       TEXT,
  account      TEXT,
  accounts     TEXT NOT NULL DEFAULT '[]',
  missing      TEXT NOT NULL DEFAULT '[]',
  granted      TEXT,
  step         TEXT,
  created_at   INTEGER NOT NULL,
  ends_at      INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sign_in_flow_connection ON sign_in_flow (connection, created_at);

-- What a connection was granted when its owner signed in. The tokens stand in the vault.
CREATE TABLE sign_in (
  connection   TEXT PRIMARY KEY REFERENCES connection (id) ON DELETE CASCADE,
  plan         TEXT NOT NULL,
  client_id    TEXT NOT NULL,
  redirect_uri TEXT NOT NULL,
  account_id   TEXT NOT NULL,
  account      TEXT NOT NULL,
  scopes       TEXT NOT NULL,
  missing      TEXT NOT NULL DEFAULT '[]',
  wanted       TEXT NOT NULL DEFAULT '[]',
  state        TEXT NOT NULL CHECK (state IN ('active', 'degraded', 'needs_sign_in', 'signed_out')),
  signed_in_at INTEGER NOT NULL,
  obtained_at  INTEGER NOT NULL,
  expires_at   INTEGER,
  renew_at     INTEGER,
  renewed_at   INTEGER,
  attempts     INTEGER NOT NULL DEFAULT 0,
  last_error   TEXT
) WITHOUT ROWID;
CREATE INDEX sign_in_due ON sign_in (renew_at) WHERE renew_at IS NOT NULL;
