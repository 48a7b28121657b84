-- How the copies of this database fare: those made by themselves on this computer, and the file that a person carries away.
CREATE TABLE backup (
  kind     TEXT PRIMARY KEY CHECK (kind IN ('local', 'portable')),
  tried_at INTEGER NOT NULL,
  done_at  INTEGER,
  file     TEXT,
  bytes    INTEGER,
  -- Why the last attempt came to nothing, in a sentence; empty when it did not.
  trouble  TEXT
) WITHOUT ROWID;
