// the message of a line, kept once: where in the line it begins

/**
 * `message_at` is the byte of `raw`, from 1, at which the message begins and goes on to the end; `message` is empty then.
 * 0 where the message is no such part, and in all rows of before: `message` has it. `message_text` reads both.
 */
export const statements = [
  `ALTER TABLE events ADD COLUMN IF NOT EXISTS message_at UInt32 DEFAULT 0`,
  `ALTER TABLE events ADD COLUMN IF NOT EXISTS
    message_text String ALIAS if(message_at = 0, message, substring(raw, message_at))`,
] as const;
