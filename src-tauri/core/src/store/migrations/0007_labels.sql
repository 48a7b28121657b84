-- Conversations by label: few carry one, so the list of a label need not read the others.
CREATE INDEX conversation_labelled ON conversation (last_message_at DESC, id DESC) WHERE labels <> '[]';
