-- What the lists of the window need to stay quick with a million messages, and deleted accounts whose conversations stay readable.

ALTER TABLE connection ADD COLUMN deleted_at INTEGER;

-- Partial, so that a resolved conversation leaves them and a busy one touches few.
CREATE INDEX conversation_open ON conversation (last_message_at DESC, id DESC) WHERE status = 'open';
CREATE INDEX conversation_put_away ON conversation (status, last_message_at DESC, id DESC) WHERE status <> 'open';
CREATE INDEX conversation_mine ON conversation (last_message_at DESC, id DESC) WHERE owner_kind = 'person';
CREATE INDEX delivery_parked ON delivery (seq) WHERE parked = 1;

-- Contacts by name, accents folded. Keeps the words itself: a contact's rowid is not promised to stay.
CREATE VIRTUAL TABLE contact_fts USING fts5 (name, contact UNINDEXED, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3');
INSERT INTO contact_fts (name, contact) SELECT name, id FROM contact;
CREATE TRIGGER contact_fts_insert AFTER INSERT ON contact BEGIN
  INSERT INTO contact_fts (name, contact) VALUES (new.name, new.id);
END;
CREATE TRIGGER contact_fts_delete AFTER DELETE ON contact BEGIN
  DELETE FROM contact_fts WHERE contact = old.id;
END;
CREATE TRIGGER contact_fts_update AFTER UPDATE OF name ON contact WHEN old.name <> new.name BEGIN
  UPDATE contact_fts SET name = new.name WHERE contact = old.id;
END;

-- Messages counted as they come, per connection, day and author, so that nothing counts a million rows later.
CREATE TABLE message_tally (
  connection TEXT NOT NULL,
  day        INTEGER NOT NULL,
  author     TEXT NOT NULL,
  messages   INTEGER NOT NULL,
  last_at    INTEGER NOT NULL,
  PRIMARY KEY (connection, day, author)
) WITHOUT ROWID;
INSERT INTO message_tally (connection, day, author, messages, last_at)
  SELECT connection, sent_at / 86400000, author_kind, count(*), max(sent_at) FROM message WHERE direction <> 'note' GROUP BY 1, 2, 3;
CREATE TRIGGER message_tally_insert AFTER INSERT ON message WHEN new.direction <> 'note' BEGIN
  INSERT INTO message_tally (connection, day, author, messages, last_at)
    VALUES (new.connection, new.sent_at / 86400000, new.author_kind, 1, new.sent_at)
    ON CONFLICT DO UPDATE SET messages = messages + 1, last_at = max(last_at, excluded.last_at);
END;
