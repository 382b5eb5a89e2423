/**
 * Bytes as text of as many characters with the same numbers (ISO 8859-1). What TextDecoder calls so is
 * windows-1252 in some engines, and not in others.
 */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
