-- One person, many addresses: who was joined with whom, on what evidence, and what it takes to undo it.

ALTER TABLE contact ADD COLUMN merged_into TEXT REFERENCES contact (id);

CREATE TABLE contact_merge (
  id        TEXT PRIMARY KEY,
  kept      TEXT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  merged    TEXT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  evidence  TEXT NOT NULL CHECK (evidence IN ('service', 'person')),
  moved     TEXT NOT NULL,
  at        INTEGER NOT NULL,
  undone_at INTEGER
);
CREATE INDEX contact_merge_kept ON contact_merge (kept) WHERE undone_at IS NULL;
CREATE INDEX address_value ON address (scheme, value);
