// "192.0.2.0/24=1000" -> the operator's word on the sampling of exporters that state it wrongly, or not at all
import { type AddressSet, addressSet, hasAddress, parseAddress } from '../model/addresses.ts';

export type SamplingRates = readonly { readonly exporters: AddressSet; readonly rate: number }[];

const MAX_RATE = 10_000_000;

/** Each an address or prefix, "=", and one packet in so many. Throws TypeError that names the item. */
export function samplingRates(texts: readonly string[]): SamplingRates {
  return texts.map((text) => {
    const at = text.lastIndexOf('=');
    const rate = Number(text.slice(at + 1));
    if (at < 1 || !Number.isInteger(rate) || rate < 1 || rate > MAX_RATE)
      throw new TypeError(`${JSON.stringify(text.slice(0, 64))} is not like 192.0.2.1=1000`);
    return { exporters: addressSet(text.slice(0, at).trim()), rate };
  });
}

/** The first that fits; 0 for none. */
export function rateFor(rates: SamplingRates, exporter: string): number {
  if (rates.length === 0) return 0;
  try {
    const address = parseAddress(exporter);
    return rates.find(({ exporters }) => hasAddress(exporters, address))?.rate ?? 0;
  } catch {
    return 0;
  }
}
