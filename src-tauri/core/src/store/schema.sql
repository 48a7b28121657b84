-- The schema after every migration. Written by a test; do not edit.

CREATE TABLE address (
  connector TEXT NOT NULL,
  scheme    TEXT NOT NULL,
  value     TEXT NOT NULL,
  contact   TEXT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  label     TEXT,
  PRIMARY KEY (connector, scheme, value)
) WITHOUT ROWID;

CREATE TABLE agent (
  id           TEXT PRIMARY KEY,
  name         TEXT NOT NULL,
  instructions TEXT NOT NULL,
  channel_instructions TEXT NOT NULL DEFAULT '{}',
  connection   TEXT NOT NULL REFERENCES connection (id),
  model        TEXT NOT NULL DEFAULT '',
  settings     TEXT NOT NULL DEFAULT '{}',
  tools        TEXT NOT NULL DEFAULT '[]',
  stream_mode  TEXT NOT NULL DEFAULT 'full',
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
);

CREATE TABLE ahead (
  connection  TEXT NOT NULL,
  external_id TEXT NOT NULL,
  kind        TEXT NOT NULL CHECK (kind IN ('status', 'edit', 'delete')),
  body        TEXT NOT NULL,
  at          INTEGER NOT NULL,
  kept_at     INTEGER NOT NULL,
  PRIMARY KEY (connection, external_id, kind)
) WITHOUT ROWID;

CREATE TABLE arrival (
  seq         INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  connection  TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  method      TEXT NOT NULL,
  path        TEXT NOT NULL,
  query       TEXT NOT NULL,
  headers     TEXT NOT NULL,
  body        BLOB NOT NULL,
  verdict     TEXT NOT NULL CHECK (verdict = 'pending' OR verdict = 'handled' OR verdict = 'repeat' OR verdict = 'nothing' OR verdict = 'not_understood' OR verdict = 'parked'),
  reason      TEXT,
  attempts    INTEGER NOT NULL DEFAULT 0,
  due_at      INTEGER NOT NULL DEFAULT 0,
  effects     TEXT NOT NULL DEFAULT '[]'
, seen_at INTEGER);

CREATE TABLE backup (
  kind     TEXT PRIMARY KEY CHECK (kind IN ('local', 'portable')),
  tried_at INTEGER NOT NULL,
  done_at  INTEGER,
  file     TEXT,
  bytes    INTEGER,
  -- Why the last attempt came to nothing, in a sentence; empty when it did not.
  trouble  TEXT
) WITHOUT ROWID;

CREATE TABLE canary (
  connection TEXT PRIMARY KEY REFERENCES connection (id) ON DELETE CASCADE,
  looked_at  INTEGER NOT NULL,
  proven_at  INTEGER,
  hop        TEXT,
  reason     TEXT,
  pending    INTEGER
) WITHOUT ROWID;

CREATE TABLE chore (
  name    TEXT PRIMARY KEY,
  done_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE chunk (
  id       INTEGER PRIMARY KEY,
  document TEXT NOT NULL REFERENCES document (id) ON DELETE CASCADE,
  ordinal  INTEGER NOT NULL,
  title    TEXT NOT NULL,
  body     TEXT NOT NULL,
  location TEXT NOT NULL DEFAULT ''
);

CREATE VIRTUAL TABLE chunk_fts USING fts5 (
  title, body, content = 'chunk', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

CREATE VIRTUAL TABLE chunk_word USING fts5vocab ('chunk_fts', 'row');

CREATE TABLE connection (
  id            TEXT PRIMARY KEY,
  connector     TEXT NOT NULL,
  name          TEXT NOT NULL,
  status        TEXT NOT NULL CHECK (status IN ('draft', 'active', 'paused', 'needs_sign_in', 'failing')),
  status_reason TEXT,
  agent         TEXT REFERENCES agent (id) ON DELETE SET NULL,
  config        TEXT NOT NULL,
  hook_key      TEXT NOT NULL UNIQUE,
  cursor        TEXT,
  account       TEXT,
  proven_at     INTEGER,
  webhook       TEXT,
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL
, deleted_at INTEGER);

CREATE TABLE contact (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  language   TEXT,
  blocked    INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
, merged_into TEXT REFERENCES contact (id));

CREATE VIRTUAL TABLE contact_fts USING fts5 (name, contact UNINDEXED, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3');

CREATE TABLE contact_merge (
  id        TEXT PRIMARY KEY,
  kept      TEXT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  merged    TEXT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  evidence  TEXT NOT NULL CHECK (evidence IN ('service', 'person')),
  moved     TEXT NOT NULL,
  at        INTEGER NOT NULL,
  undone_at INTEGER
);

CREATE TABLE contact_unindexed (row INTEGER PRIMARY KEY);

CREATE TABLE conversation (
  seq             INTEGER PRIMARY KEY,
  id              TEXT NOT NULL UNIQUE,
  contact         TEXT NOT NULL REFERENCES contact (id),
  connection      TEXT NOT NULL REFERENCES connection (id),
  thread          TEXT NOT NULL,
  address_scheme  TEXT NOT NULL,
  address_value   TEXT NOT NULL,
  status          TEXT NOT NULL CHECK (status = 'open' OR status = 'snoozed' OR status = 'resolved'),
  snoozed_until   INTEGER,
  owner_kind      TEXT NOT NULL CHECK (owner_kind IN ('agent', 'person')),
  owner_id        TEXT,
  epoch           INTEGER NOT NULL DEFAULT 1,
  needs_person    INTEGER NOT NULL DEFAULT 0,
  needs_reason    TEXT,
  urgency         TEXT,
  unread          INTEGER NOT NULL DEFAULT 0,
  preview         TEXT NOT NULL DEFAULT '',
  preview_by      TEXT NOT NULL DEFAULT 'contact',
  last_message_at INTEGER NOT NULL,
  last_in_at      INTEGER,
  language        TEXT,
  labels          TEXT NOT NULL DEFAULT '[]',
  state           TEXT NOT NULL DEFAULT '{}',
  metadata        TEXT NOT NULL DEFAULT '{}',
  created_at      INTEGER NOT NULL, referral TEXT, paced_until INTEGER NOT NULL DEFAULT 0, waits_for TEXT, blocked INTEGER NOT NULL DEFAULT 0,
  UNIQUE (connection, thread)
);

CREATE TABLE conversion (
  id           TEXT PRIMARY KEY,
  conversation INTEGER NOT NULL REFERENCES conversation (seq) ON DELETE CASCADE,
  connection   TEXT NOT NULL,
  click_id     TEXT NOT NULL,
  event        TEXT NOT NULL,
  currency     TEXT,
  amount       REAL,
  at           INTEGER NOT NULL,
  status       TEXT NOT NULL CHECK (status IN ('queued', 'sending', 'sent', 'failed', 'unconfirmed')),
  reason       TEXT,
  attempts     INTEGER NOT NULL DEFAULT 0,
  due_at       INTEGER NOT NULL,
  UNIQUE (connection, click_id, event)
);

CREATE TABLE delivery (
  seq          INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  message      INTEGER NOT NULL UNIQUE REFERENCES message (seq) ON DELETE CASCADE,
  conversation INTEGER NOT NULL,
  connection   TEXT NOT NULL,
  epoch        INTEGER,
  farewell     INTEGER NOT NULL DEFAULT 0,
  turn         TEXT,
  status       TEXT NOT NULL CHECK (status = 'queued' OR status = 'sending' OR status = 'unconfirmed' OR status = 'sent' OR status = 'delivered' OR status = 'read' OR status = 'failed'),
  attempts     INTEGER NOT NULL DEFAULT 0,
  due_at       INTEGER NOT NULL,
  claimed_at   INTEGER,
  done_at      INTEGER,
  reason       TEXT,
  parked       INTEGER NOT NULL DEFAULT 0,
  checks       INTEGER NOT NULL DEFAULT 0
, action TEXT);

CREATE TABLE document (
  id         TEXT PRIMARY KEY,
  title      TEXT NOT NULL,
  filename   TEXT NOT NULL,
  mime       TEXT NOT NULL,
  sha256     TEXT NOT NULL UNIQUE,
  bytes      INTEGER NOT NULL,
  passages   INTEGER NOT NULL,
  used       INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
);

CREATE TABLE gap (
  connection   TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
  from_at      INTEGER NOT NULL,
  to_at        INTEGER NOT NULL,
  caught_up_at INTEGER,
  PRIMARY KEY (connection, from_at)
) WITHOUT ROWID;

CREATE TABLE heartbeat (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  at  INTEGER NOT NULL
);

CREATE TABLE lab_channel (
  connection TEXT PRIMARY KEY REFERENCES connection (id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE lab_script (
  id         TEXT PRIMARY KEY,
  body       TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE media (
  id         TEXT PRIMARY KEY,
  status     TEXT NOT NULL CHECK (status IN ('wanted', 'stored', 'failed')),
  sha256     TEXT,
  mime       TEXT NOT NULL DEFAULT '',
  filename   TEXT,
  bytes      INTEGER NOT NULL DEFAULT 0,
  connection TEXT,
  message    TEXT,
  reference  TEXT,
  attempts   INTEGER NOT NULL DEFAULT 0,
  due_at     INTEGER NOT NULL DEFAULT 0,
  reason     TEXT,
  created_at INTEGER NOT NULL
, promised_sha256 TEXT, duration_ms INTEGER, wave BLOB, unheard INTEGER NOT NULL DEFAULT 0);

CREATE TABLE message (
  seq          INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  conversation INTEGER NOT NULL REFERENCES conversation (seq) ON DELETE CASCADE,
  connection   TEXT NOT NULL,
  direction    TEXT NOT NULL CHECK (direction = 'in' OR direction = 'out' OR direction = 'note'),
  author_kind  TEXT NOT NULL CHECK (author_kind = 'contact' OR author_kind = 'agent' OR author_kind = 'person' OR author_kind = 'system'),
  author_id    TEXT,
  content      TEXT NOT NULL,
  text         TEXT NOT NULL,
  sent_at      INTEGER NOT NULL,
  position     INTEGER NOT NULL DEFAULT 0,
  external_id  TEXT,
  client_key   TEXT,
  reply_to     TEXT,
  turn         TEXT,
  sources      TEXT,
  edited_at    INTEGER,
  deleted_at   INTEGER
, forwarded INTEGER NOT NULL DEFAULT 0, caught_up INTEGER NOT NULL DEFAULT 0);

CREATE VIRTUAL TABLE message_fts USING fts5 (
  text, content = 'message', content_rowid = 'seq', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

CREATE TABLE message_tally (
  connection TEXT NOT NULL,
  day        INTEGER NOT NULL,
  author     TEXT NOT NULL,
  messages   INTEGER NOT NULL,
  last_at    INTEGER NOT NULL,
  PRIMARY KEY (connection, day, author)
) WITHOUT ROWID;

CREATE TABLE notice (
  connection TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
  key        TEXT NOT NULL,
  level      TEXT NOT NULL CHECK (level IN ('info', 'warning', 'problem')),
  text       TEXT NOT NULL,
  at         INTEGER NOT NULL,
  seen_at    INTEGER,
  PRIMARY KEY (connection, key)
) WITHOUT ROWID;

CREATE TABLE refusal (
  seq        INTEGER PRIMARY KEY,
  at         INTEGER NOT NULL,
  connection TEXT,
  reason     TEXT NOT NULL,
  address    TEXT NOT NULL,
  size       INTEGER NOT NULL
);

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

CREATE TABLE secret (
  owner  TEXT NOT NULL,
  field  TEXT NOT NULL,
  sealed BLOB NOT NULL,
  set_at INTEGER NOT NULL,
  PRIMARY KEY (owner, field)
) WITHOUT ROWID;

CREATE TABLE setting (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

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

CREATE TABLE thread_alias (
  connection   TEXT NOT NULL,
  thread       TEXT NOT NULL,
  conversation INTEGER NOT NULL REFERENCES conversation (seq) ON DELETE CASCADE,
  PRIMARY KEY (connection, thread)
) WITHOUT ROWID;

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

CREATE TABLE tunnel_host_key (
  server      TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  seen_at     INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE turn (
  seq          INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  conversation INTEGER NOT NULL REFERENCES conversation (seq) ON DELETE CASCADE,
  agent        TEXT NOT NULL,
  epoch        INTEGER NOT NULL,
  status       TEXT NOT NULL CHECK (status = 'wanted' OR status = 'running' OR status = 'done' OR status = 'superseded' OR status = 'failed' OR status = 'stopped'),
  wanted_at    INTEGER NOT NULL,
  due_at       INTEGER NOT NULL,
  started_at   INTEGER,
  finished_at  INTEGER,
  upto         INTEGER NOT NULL DEFAULT 0,
  attempts     INTEGER NOT NULL DEFAULT 0,
  wrote        INTEGER NOT NULL DEFAULT 0,
  usage        TEXT NOT NULL DEFAULT '{}',
  cost         INTEGER NOT NULL DEFAULT 0,
  error        TEXT
, held INTEGER NOT NULL DEFAULT 0, summary TEXT);

CREATE TABLE turn_step (
  turn    INTEGER NOT NULL REFERENCES turn (seq) ON DELETE CASCADE,
  n       INTEGER NOT NULL,
  kind    TEXT NOT NULL CHECK (kind = 'said' OR kind = 'call' OR kind = 'begun' OR kind = 'result'),
  at      INTEGER NOT NULL,
  took_ms INTEGER NOT NULL DEFAULT 0,
  body    TEXT NOT NULL,
  PRIMARY KEY (turn, n)
) WITHOUT ROWID;

CREATE TABLE unanswered (
  seq          INTEGER PRIMARY KEY,
  conversation TEXT NOT NULL,
  question     TEXT NOT NULL,
  at           INTEGER NOT NULL
);

CREATE TABLE vault (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  kind    TEXT NOT NULL CHECK (kind IN ('keychain', 'passphrase')),
  salt    BLOB,
  params  TEXT,
  wrapped BLOB,
  sealed_check BLOB NOT NULL
);

CREATE TABLE visitor_session (
  token_sha256 TEXT PRIMARY KEY,
  connection   TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
  visitor      TEXT NOT NULL,
  page         TEXT NOT NULL DEFAULT '{}',
  locale       TEXT,
  created_at   INTEGER NOT NULL,
  seen_at      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX address_contact ON address (contact);

CREATE INDEX address_value ON address (scheme, value);

CREATE INDEX ahead_age ON ahead (kept_at);

CREATE INDEX arrival_connection ON arrival (connection, seq DESC);

CREATE INDEX arrival_done ON arrival (received_at) WHERE verdict <> 'pending' AND verdict <> 'not_understood' AND verdict <> 'parked';

CREATE INDEX arrival_pending ON arrival (seq) WHERE verdict = 'pending';

CREATE INDEX arrival_troubled ON arrival (received_at) WHERE verdict IN ('not_understood', 'parked');

CREATE INDEX chunk_document ON chunk (document, ordinal);

CREATE INDEX contact_merge_kept ON contact_merge (kept) WHERE undone_at IS NULL;

CREATE INDEX conversation_contact ON conversation (contact);

CREATE INDEX conversation_labelled ON conversation (last_message_at DESC, id DESC) WHERE labels <> '[]';

CREATE INDEX conversation_mine ON conversation (last_message_at DESC, id DESC) WHERE owner_kind = 'person';

CREATE INDEX conversation_newest ON conversation (last_message_at DESC, id DESC);

CREATE INDEX conversation_of_agent ON conversation (owner_id) WHERE owner_kind = 'agent' AND status <> 'resolved';

CREATE INDEX conversation_of_connection ON conversation (connection, last_message_at DESC, id DESC);

CREATE INDEX conversation_open ON conversation (last_message_at DESC, id DESC) WHERE status = 'open';

CREATE INDEX conversation_put_away ON conversation (status, last_message_at DESC, id DESC) WHERE status <> 'open';

CREATE INDEX conversation_snoozed ON conversation (snoozed_until) WHERE status = 'snoozed';

CREATE INDEX conversation_waiting ON conversation (last_message_at DESC, id DESC) WHERE needs_person = 1;

CREATE INDEX conversation_waits_for ON conversation (waits_for) WHERE waits_for IS NOT NULL;

CREATE INDEX conversion_conversation ON conversion (conversation);

CREATE INDEX conversion_due ON conversion (due_at) WHERE status = 'queued';

CREATE INDEX delivery_due ON delivery (due_at, seq) WHERE status = 'queued';

CREATE INDEX delivery_open ON delivery (conversation, seq) WHERE status IN ('queued', 'sending');

CREATE INDEX delivery_parked ON delivery (seq) WHERE parked = 1;

CREATE INDEX delivery_turn ON delivery (turn) WHERE turn IS NOT NULL;

CREATE INDEX delivery_unsettled ON delivery (status, seq) WHERE status = 'sending' OR status = 'unconfirmed' OR status = 'failed';

CREATE INDEX media_content ON media (sha256) WHERE sha256 IS NOT NULL;

CREATE INDEX media_loose ON media (created_at) WHERE message IS NULL;

CREATE INDEX media_unheard ON media (created_at) WHERE unheard = 1;

CREATE INDEX media_wanted ON media (due_at) WHERE status = 'wanted';

CREATE UNIQUE INDEX message_client_key ON message (conversation, client_key) WHERE client_key IS NOT NULL;

CREATE UNIQUE INDEX message_external ON message (connection, external_id) WHERE external_id IS NOT NULL;

CREATE INDEX message_order ON message (conversation, sent_at DESC, position DESC, seq DESC);

CREATE INDEX message_position ON message (conversation, position, sent_at) WHERE position > 0;

CREATE INDEX notice_newest ON notice (at DESC);

CREATE INDEX sign_in_due ON sign_in (renew_at) WHERE renew_at IS NOT NULL;

CREATE INDEX sign_in_flow_connection ON sign_in_flow (connection, created_at);

CREATE INDEX turn_conversation ON turn (conversation, seq DESC);

CREATE INDEX turn_detailed ON turn (finished_at) WHERE finished_at IS NOT NULL AND summary IS NULL;

CREATE INDEX turn_due ON turn (due_at) WHERE status = 'wanted';

CREATE INDEX turn_held ON turn (agent) WHERE held = 1;

CREATE UNIQUE INDEX turn_running ON turn (conversation) WHERE status = 'running';

CREATE UNIQUE INDEX turn_wanted ON turn (conversation) WHERE status = 'wanted';

CREATE INDEX visitor_session_visitor ON visitor_session (connection, visitor);

CREATE TRIGGER message_tally_insert AFTER INSERT ON message WHEN new.direction <> 'note' BEGIN
  INSERT INTO message_tally (connection, day, author, messages, last_at)
    VALUES (new.connection, new.sent_at / 86400000, new.author_kind, 1, new.sent_at)
    ON CONFLICT DO UPDATE SET messages = messages + 1, last_at = max(last_at, excluded.last_at);
END;
