-- The ground floor: everything one message needs from the door to the answer.
-- Times are Unix milliseconds, ids are text with a prefix, JSON columns end a row. `seq` columns keep the order of arrival.

CREATE TABLE setting (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

-- How the master key is kept. One row, or none before the first run made the vault.
CREATE TABLE vault (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  kind    TEXT NOT NULL CHECK (kind IN ('keychain', 'passphrase')),
  salt    BLOB,
  params  TEXT,
  wrapped BLOB,
  sealed_check BLOB NOT NULL
);

-- AES-256-GCM: nonce || ciphertext || tag; owner and field are the associated data.
CREATE TABLE secret (
  owner  TEXT NOT NULL,
  field  TEXT NOT NULL,
  sealed BLOB NOT NULL,
  set_at INTEGER NOT NULL,
  PRIMARY KEY (owner, field)
) WITHOUT ROWID;

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
);

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

-- What came, raw, before anything acts on it.
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
  verdict     TEXT NOT NULL CHECK (verdict IN ('pending', 'handled', 'repeat', 'nothing', 'not_understood', 'parked')),
  reason      TEXT,
  attempts    INTEGER NOT NULL DEFAULT 0,
  due_at      INTEGER NOT NULL DEFAULT 0,
  effects     TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX arrival_pending ON arrival (seq) WHERE verdict = 'pending';
CREATE INDEX arrival_connection ON arrival (connection, seq DESC);

-- Refused requests: a line each, never their body. Bounded by the writer.
CREATE TABLE refusal (
  seq        INTEGER PRIMARY KEY,
  at         INTEGER NOT NULL,
  connection TEXT,
  reason     TEXT NOT NULL,
  address    TEXT NOT NULL,
  size       INTEGER NOT NULL
);

CREATE TABLE contact (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  language   TEXT,
  blocked    INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
);

CREATE TABLE address (
  connector TEXT NOT NULL,
  scheme    TEXT NOT NULL,
  value     TEXT NOT NULL,
  contact   TEXT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  label     TEXT,
  PRIMARY KEY (connector, scheme, value)
) WITHOUT ROWID;
CREATE INDEX address_contact ON address (contact);

CREATE TABLE conversation (
  seq             INTEGER PRIMARY KEY,
  id              TEXT NOT NULL UNIQUE,
  contact         TEXT NOT NULL REFERENCES contact (id),
  connection      TEXT NOT NULL REFERENCES connection (id),
  thread          TEXT NOT NULL,
  address_scheme  TEXT NOT NULL,
  address_value   TEXT NOT NULL,
  status          TEXT NOT NULL CHECK (status IN ('open', 'snoozed', 'resolved')),
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
  created_at      INTEGER NOT NULL,
  UNIQUE (connection, thread)
);
CREATE INDEX conversation_newest ON conversation (last_message_at DESC, id DESC);
CREATE INDEX conversation_of_connection ON conversation (connection, last_message_at DESC, id DESC);
CREATE INDEX conversation_waiting ON conversation (last_message_at DESC, id DESC) WHERE needs_person = 1;
CREATE INDEX conversation_snoozed ON conversation (snoozed_until) WHERE status = 'snoozed';
CREATE INDEX conversation_contact ON conversation (contact);

CREATE TABLE message (
  seq          INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  conversation INTEGER NOT NULL REFERENCES conversation (seq) ON DELETE CASCADE,
  connection   TEXT NOT NULL,
  direction    TEXT NOT NULL CHECK (direction IN ('in', 'out', 'note')),
  author_kind  TEXT NOT NULL CHECK (author_kind IN ('contact', 'agent', 'person', 'system')),
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
);
CREATE UNIQUE INDEX message_external ON message (connection, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX message_client_key ON message (conversation, client_key) WHERE client_key IS NOT NULL;
CREATE INDEX message_order ON message (conversation, sent_at DESC, position DESC, seq DESC);
CREATE INDEX message_position ON message (conversation, position) WHERE position > 0;

CREATE VIRTUAL TABLE message_fts USING fts5 (
  text, content = 'message', content_rowid = 'seq', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
CREATE TRIGGER message_fts_insert AFTER INSERT ON message WHEN new.text <> '' BEGIN
  INSERT INTO message_fts (rowid, text) VALUES (new.seq, new.text);
END;
CREATE TRIGGER message_fts_delete AFTER DELETE ON message WHEN old.text <> '' BEGIN
  INSERT INTO message_fts (message_fts, rowid, text) VALUES ('delete', old.seq, old.text);
END;
CREATE TRIGGER message_fts_update AFTER UPDATE OF text ON message BEGIN
  INSERT INTO message_fts (message_fts, rowid, text) SELECT 'delete', old.seq, old.text WHERE old.text <> '';
  INSERT INTO message_fts (rowid, text) SELECT new.seq, new.text WHERE new.text <> '';
END;

-- One answer of an agent. At most one waits and one runs per conversation.
CREATE TABLE turn (
  seq          INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  conversation INTEGER NOT NULL REFERENCES conversation (seq) ON DELETE CASCADE,
  agent        TEXT NOT NULL,
  epoch        INTEGER NOT NULL,
  status       TEXT NOT NULL CHECK (status IN ('wanted', 'running', 'done', 'superseded', 'failed', 'stopped')),
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
);
CREATE UNIQUE INDEX turn_wanted ON turn (conversation) WHERE status = 'wanted';
CREATE UNIQUE INDEX turn_running ON turn (conversation) WHERE status = 'running';
CREATE INDEX turn_due ON turn (due_at) WHERE status = 'wanted';
CREATE INDEX turn_conversation ON turn (conversation, seq DESC);

-- What a turn has done so far; what it goes on from after a crash.
CREATE TABLE turn_step (
  turn    INTEGER NOT NULL REFERENCES turn (seq) ON DELETE CASCADE,
  n       INTEGER NOT NULL,
  kind    TEXT NOT NULL CHECK (kind IN ('said', 'call', 'begun', 'result')),
  at      INTEGER NOT NULL,
  took_ms INTEGER NOT NULL DEFAULT 0,
  body    TEXT NOT NULL,
  PRIMARY KEY (turn, n)
) WITHOUT ROWID;

-- The sending of one message. An agent's carries the epoch in which it was written; a person's is NULL. A farewell is what an
-- agent still says after it called for a person: it leaves unless a person took over meanwhile.
CREATE TABLE delivery (
  seq          INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  message      INTEGER NOT NULL UNIQUE REFERENCES message (seq) ON DELETE CASCADE,
  conversation INTEGER NOT NULL,
  connection   TEXT NOT NULL,
  epoch        INTEGER,
  farewell     INTEGER NOT NULL DEFAULT 0,
  turn         TEXT,
  status       TEXT NOT NULL CHECK (status IN ('queued', 'sending', 'unconfirmed', 'sent', 'delivered', 'read', 'failed')),
  attempts     INTEGER NOT NULL DEFAULT 0,
  due_at       INTEGER NOT NULL,
  claimed_at   INTEGER,
  done_at      INTEGER,
  reason       TEXT,
  parked       INTEGER NOT NULL DEFAULT 0,
  checks       INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX delivery_open ON delivery (conversation, seq) WHERE status IN ('queued', 'sending');
CREATE INDEX delivery_due ON delivery (due_at, seq) WHERE status = 'queued';
CREATE INDEX delivery_unsettled ON delivery (status, seq) WHERE status IN ('sending', 'unconfirmed', 'failed');
CREATE INDEX delivery_turn ON delivery (turn) WHERE turn IS NOT NULL;

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
);
CREATE INDEX media_wanted ON media (due_at) WHERE status = 'wanted';

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

CREATE TABLE chunk (
  id       INTEGER PRIMARY KEY,
  document TEXT NOT NULL REFERENCES document (id) ON DELETE CASCADE,
  ordinal  INTEGER NOT NULL,
  title    TEXT NOT NULL,
  body     TEXT NOT NULL,
  location TEXT NOT NULL DEFAULT ''
);
CREATE INDEX chunk_document ON chunk (document, ordinal);

CREATE VIRTUAL TABLE chunk_fts USING fts5 (
  title, body, content = 'chunk', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
CREATE TRIGGER chunk_fts_insert AFTER INSERT ON chunk BEGIN
  INSERT INTO chunk_fts (rowid, title, body) VALUES (new.id, new.title, new.body);
END;
CREATE TRIGGER chunk_fts_delete AFTER DELETE ON chunk BEGIN
  INSERT INTO chunk_fts (chunk_fts, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
END;
-- The words of the documents, to look for what a slip of the finger meant.
CREATE VIRTUAL TABLE chunk_word USING fts5vocab ('chunk_fts', 'row');

-- A visitor of the website chat; the token itself is never kept.
CREATE TABLE visitor_session (
  token_sha256 TEXT PRIMARY KEY,
  connection   TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
  visitor      TEXT NOT NULL,
  page         TEXT NOT NULL DEFAULT '{}',
  locale       TEXT,
  created_at   INTEGER NOT NULL,
  seen_at      INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX visitor_session_visitor ON visitor_session (connection, visitor);

-- A question the agents could not answer from the knowledge.
CREATE TABLE unanswered (
  seq          INTEGER PRIMARY KEY,
  conversation TEXT NOT NULL,
  question     TEXT NOT NULL,
  at           INTEGER NOT NULL
);
