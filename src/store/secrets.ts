// a key from the environment or the data folder -> sealing of credentials and keyed hashes
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { PosternError } from '../model/errors.ts';
import type { Services } from '../services.ts';
import { keptText } from './kept-file.ts';

const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `key` is 32 bytes in base64; without it the key of the folder is used, and made on first use with mode 0600. */
export function openSecrets(key: string | undefined, folder: string): Services['seal'] {
  return sealWith(Buffer.from(key ?? folderKey(join(folder, 'secret.key')), 'base64'));
}

function folderKey(file: string): string {
  const text = keptText(file, () => `${randomBytes(32).toString('base64')}\n`);
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text))
    throw new PosternError(
      'bad-secret-key',
      `${file} does not hold a key of 32 bytes in base64: restore it`,
      {
        subject: file,
      },
    );
  return text;
}

/**
 * AES-256-GCM with a random nonce: format byte, nonce, tag, ciphertext. `open` throws PosternError 'not-sealed-here' for
 * anything else. `hash` is 16 hex digits of HMAC-SHA256: equal secrets give equal text, and nothing else can be told.
 */
export function sealWith(key: Buffer): Services['seal'] {
  const sealKey = Buffer.from(hkdfSync('sha256', key, '', 'postern seal', 32));
  const hashKey = Buffer.from(hkdfSync('sha256', key, '', 'postern redaction', 32));
  return {
    seal(plain) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealKey, nonce);
      const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.from([FORMAT]), nonce, cipher.getAuthTag(), text]);
    },
    open(sealed) {
      try {
        if (sealed[0] !== FORMAT) throw new Error('unknown format');
        const tagAt = 1 + NONCE_BYTES;
        const textAt = tagAt + TAG_BYTES;
        const cipher = createDecipheriv('aes-256-gcm', sealKey, sealed.subarray(1, tagAt), {
          authTagLength: TAG_BYTES,
        });
        cipher.setAuthTag(sealed.subarray(tagAt, textAt));
        return cipher.update(sealed.subarray(textAt), undefined, 'utf8') + cipher.final('utf8');
      } catch (cause) {
        throw new PosternError(
          'not-sealed-here',
          'a credential was sealed under another key: restore POSTERN_SECRET_KEY or the key file, or enter it again',
          { cause },
        );
      }
    },
    hash: (text) => createHmac('sha256', hashKey).update(text, 'utf8').digest('hex').slice(0, 16),
  };
}
