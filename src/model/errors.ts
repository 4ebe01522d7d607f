// errors with a stable code that people and programs can look up

/** `code` is stable and in kebab-case; `message` says what to do next; `subject` is the device, exporter or file concerned. */
export class PosternError extends Error {
  readonly code: string;
  readonly subject?: string;
  constructor(code: string, message: string, options: { subject?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.subject = options.subject;
  }
}
