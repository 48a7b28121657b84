-- How long a sound is and how loud along its length (64 bytes), for the player; and which sounds nobody has listened to yet.

ALTER TABLE media ADD COLUMN duration_ms INTEGER;
ALTER TABLE media ADD COLUMN wave BLOB;
ALTER TABLE media ADD COLUMN unheard INTEGER NOT NULL DEFAULT 0;
CREATE INDEX media_unheard ON media (created_at) WHERE unheard = 1;
