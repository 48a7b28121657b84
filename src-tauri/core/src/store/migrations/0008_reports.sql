-- A customer who wants no messages in one conversation may want them in another.
ALTER TABLE conversation ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;
UPDATE conversation SET blocked = 1 WHERE contact IN (SELECT id FROM contact WHERE blocked);

-- What is reported of a click on an advertisement: each event once for a click.
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
CREATE INDEX conversion_due ON conversion (due_at) WHERE status = 'queued';
CREATE INDEX conversion_conversation ON conversion (conversation);
