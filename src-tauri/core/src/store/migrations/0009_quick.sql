-- What the way of a message needs to be quick. An index of words writes a piece of its own at every statement, and merging pieces later is
-- most of its work; a list in a check is built anew at every statement.

-- New words are handed to the index once, at the end of the commit (store/words.rs). What the index knows is what has a size in it; it
-- must never be told to forget what it does not know.
DROP TRIGGER message_fts_insert;
DROP TRIGGER message_fts_delete;
DROP TRIGGER message_fts_update;
CREATE TRIGGER message_fts_delete AFTER DELETE ON message WHEN old.text <> '' BEGIN
  INSERT INTO message_fts (message_fts, rowid, text) SELECT 'delete', old.seq, old.text
    WHERE EXISTS (SELECT 1 FROM message_fts_docsize WHERE id = old.seq);
END;
CREATE TRIGGER message_fts_update AFTER UPDATE OF text ON message WHEN new.text <> old.text BEGIN
  INSERT INTO message_fts (message_fts, rowid, text) SELECT 'delete', old.seq, old.text
    WHERE EXISTS (SELECT 1 FROM message_fts_docsize WHERE id = old.seq);
  -- What is newer than everything in the index waits for the end of the commit.
  INSERT INTO message_fts (rowid, text) SELECT new.seq, new.text
    WHERE new.text <> '' AND new.seq < (SELECT max(id) FROM message_fts_docsize);
END;

-- Names wait from their write to the end of the same commit; empty between commits.
CREATE TABLE contact_unindexed (row INTEGER PRIMARY KEY);
DROP TRIGGER contact_fts_insert;
DROP TRIGGER contact_fts_delete;
CREATE TRIGGER contact_fts_insert AFTER INSERT ON contact BEGIN
  INSERT INTO contact_unindexed (row) VALUES (new.rowid);
END;
CREATE TRIGGER contact_fts_delete AFTER DELETE ON contact BEGIN
  DELETE FROM contact_fts WHERE contact = old.id;
  DELETE FROM contact_unindexed WHERE row = old.rowid;
END;

-- A message's neighbours in the service's own count are found without reading everything that was said before.
DROP INDEX message_position;
CREATE INDEX message_position ON message (conversation, position, sent_at) WHERE position > 0;

-- The same conditions in words that need no list; a delivery whose status is asked for by name is found by this one.
DROP INDEX arrival_done;
CREATE INDEX arrival_done ON arrival (received_at) WHERE verdict <> 'pending' AND verdict <> 'not_understood' AND verdict <> 'parked';
DROP INDEX delivery_unsettled;
CREATE INDEX delivery_unsettled ON delivery (status, seq) WHERE status = 'sending' OR status = 'unconfirmed' OR status = 'failed';

-- The same checks in words that cost nothing: for a list of more than two values SQLite builds a table at every statement. Nothing on
-- disk depends on how a check is written (https://www.sqlite.org/lang_altertable.html#otheralter).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (verdict IN (''pending'', ''handled'', ''repeat'', ''nothing'', ''not_understood'', ''parked''))',
  'CHECK (verdict = ''pending'' OR verdict = ''handled'' OR verdict = ''repeat'' OR verdict = ''nothing'' OR verdict = ''not_understood'' OR verdict = ''parked'')') WHERE type = 'table' AND name = 'arrival';
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (status IN (''open'', ''snoozed'', ''resolved''))',
  'CHECK (status = ''open'' OR status = ''snoozed'' OR status = ''resolved'')') WHERE type = 'table' AND name = 'conversation';
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (direction IN (''in'', ''out'', ''note''))',
  'CHECK (direction = ''in'' OR direction = ''out'' OR direction = ''note'')') WHERE type = 'table' AND name = 'message';
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (author_kind IN (''contact'', ''agent'', ''person'', ''system''))',
  'CHECK (author_kind = ''contact'' OR author_kind = ''agent'' OR author_kind = ''person'' OR author_kind = ''system'')') WHERE type = 'table' AND name = 'message';
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (status IN (''wanted'', ''running'', ''done'', ''superseded'', ''failed'', ''stopped''))',
  'CHECK (status = ''wanted'' OR status = ''running'' OR status = ''done'' OR status = ''superseded'' OR status = ''failed'' OR status = ''stopped'')') WHERE type = 'table' AND name = 'turn';
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (kind IN (''said'', ''call'', ''begun'', ''result''))',
  'CHECK (kind = ''said'' OR kind = ''call'' OR kind = ''begun'' OR kind = ''result'')') WHERE type = 'table' AND name = 'turn_step';
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (status IN (''queued'', ''sending'', ''unconfirmed'', ''sent'', ''delivered'', ''read'', ''failed''))',
  'CHECK (status = ''queued'' OR status = ''sending'' OR status = ''unconfirmed'' OR status = ''sent'' OR status = ''delivered'' OR status = ''read'' OR status = ''failed'')') WHERE type = 'table' AND name = 'delivery';
PRAGMA writable_schema = RESET;
