-- When the hub was last known to work, written down now and then.
CREATE TABLE heartbeat (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  at  INTEGER NOT NULL
);

-- When it did not, by channel; open until what the service kept of that time is here.
CREATE TABLE gap (
  connection   TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
  from_at      INTEGER NOT NULL,
  to_at        INTEGER NOT NULL,
  caught_up_at INTEGER,
  PRIMARY KEY (connection, from_at)
) WITHOUT ROWID;

-- Whether a message was said while the hub was not there.
ALTER TABLE message ADD COLUMN caught_up INTEGER NOT NULL DEFAULT 0;
