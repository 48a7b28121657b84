-- What is done now and then, each with the moment it was last done: a computer that sleeps, or is started often, skips nothing.
CREATE TABLE chore (
  name    TEXT PRIMARY KEY,
  done_at INTEGER NOT NULL
) WITHOUT ROWID;

-- The model connection that a conversation waits for, for as long as no person has touched the conversation.
ALTER TABLE conversation ADD COLUMN waits_for TEXT;
CREATE INDEX conversation_waits_for ON conversation (waits_for) WHERE waits_for IS NOT NULL;
-- What an agent leaves behind when it is deleted.
CREATE INDEX conversation_of_agent ON conversation (owner_id) WHERE owner_kind = 'agent' AND status <> 'resolved';

-- A turn that waits for its model's owner, and what is left of one whose steps are not kept any more.
ALTER TABLE turn ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE turn ADD COLUMN summary TEXT;
CREATE INDEX turn_held ON turn (agent) WHERE held = 1;
CREATE INDEX turn_detailed ON turn (finished_at) WHERE finished_at IS NOT NULL AND summary IS NULL;

-- When a person looked at an arrival; those in trouble that nobody has seen are kept longest.
ALTER TABLE arrival ADD COLUMN seen_at INTEGER;
CREATE INDEX arrival_done ON arrival (received_at) WHERE verdict IN ('handled', 'repeat', 'nothing');
CREATE INDEX arrival_troubled ON arrival (received_at) WHERE verdict IN ('not_understood', 'parked');

-- The message that a file was sent with; files that belong to none are given up after a day.
CREATE INDEX media_content ON media (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX media_loose ON media (created_at) WHERE message IS NULL;
UPDATE media SET message = sent.message
FROM (
  SELECT part.value ->> 'media' AS media, m.id AS message
  FROM message m, json_each(CASE WHEN json_valid(m.content) THEN m.content ELSE '[]' END) part
  WHERE m.direction <> 'in' AND part.value ->> 'type' = 'media'
) AS sent
WHERE media.id = sent.media AND media.message IS NULL;
