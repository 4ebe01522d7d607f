// UDP payload -> whether it has the shape of flow export, for captures that hold other traffic too

const word = (bytes: Uint8Array, offset: number) => (bytes[offset] << 8) | bytes[offset + 1];

/** Judges by version and lengths alone, so it may be wrong about payloads made to look like it. */
export function looksLikeExport(bytes: Uint8Array): boolean {
  if (bytes.length < 16) return false;
  const count = word(bytes, 2);
  switch (word(bytes, 0)) {
    case 0:
      // sFlow 5: an agent with an IPv4 or IPv6 address.
      return bytes.length >= 28 && count === 5 && word(bytes, 4) === 0 && [1, 2].includes(word(bytes, 6));
    case 1:
      return count > 0 && (bytes.length === 16 + count * 48 || bytes.length === 16 + count * 52);
    case 5:
      return count > 0 && count <= 30 && bytes.length >= 24 + count * 48;
    case 7:
      return count > 0 && bytes.length === 24 + count * 52;
    case 9:
      return count > 0 && bytes.length >= 24 && isSet(bytes, 20, 0);
    case 10:
      return count >= 16 && count <= bytes.length && (count === 16 || isSet(bytes, 16, 2));
    default:
      return false;
  }
}

/** A template or options template set (first, first + 1) or a data set that ends inside the datagram. */
function isSet(bytes: Uint8Array, offset: number, first: number): boolean {
  if (offset + 4 > bytes.length) return false;
  const id = word(bytes, offset);
  const length = word(bytes, offset + 2);
  return (id === first || id === first + 1 || id >= 256) && length >= 4 && offset + length <= bytes.length;
}
