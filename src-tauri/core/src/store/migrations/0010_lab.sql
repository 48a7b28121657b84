-- The Lab: which connections lead to a stand-in on this computer, and customers that can be played again.
CREATE TABLE lab_channel (
  connection TEXT PRIMARY KEY REFERENCES connection (id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE lab_script (
  id         TEXT PRIMARY KEY,
  body       TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) WITHOUT ROWID;
