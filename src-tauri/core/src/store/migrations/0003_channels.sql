-- What the messaging services bring: other names of a thread, how a customer came, what helps after a refusal, notices about an account,
-- and what is told of a message before the message itself.

ALTER TABLE message ADD COLUMN forwarded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN referral TEXT;
-- When the next message to this customer may leave, where the service paces each customer (the theoretical arrival time of a leaky bucket).
ALTER TABLE conversation ADD COLUMN paced_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN action TEXT;
ALTER TABLE media ADD COLUMN promised_sha256 TEXT;

CREATE TABLE thread_alias (
  connection   TEXT NOT NULL,
  thread       TEXT NOT NULL,
  conversation INTEGER NOT NULL REFERENCES conversation (seq) ON DELETE CASCADE,
  PRIMARY KEY (connection, thread)
) WITHOUT ROWID;

-- Services tell a status, an edit or a deletion in any order, also before our own answer is stored. Kept until the message is known.
CREATE TABLE ahead (
  connection  TEXT NOT NULL,
  external_id TEXT NOT NULL,
  kind        TEXT NOT NULL CHECK (kind IN ('status', 'edit', 'delete')),
  body        TEXT NOT NULL,
  at          INTEGER NOT NULL,
  kept_at     INTEGER NOT NULL,
  PRIMARY KEY (connection, external_id, kind)
) WITHOUT ROWID;
CREATE INDEX ahead_age ON ahead (kept_at);

CREATE TABLE notice (
  connection TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
  key        TEXT NOT NULL,
  level      TEXT NOT NULL CHECK (level IN ('info', 'warning', 'problem')),
  text       TEXT NOT NULL,
  at         INTEGER NOT NULL,
  seen_at    INTEGER,
  PRIMARY KEY (connection, key)
) WITHOUT ROWID;
CREATE INDEX notice_newest ON notice (at DESC);
