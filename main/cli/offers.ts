/** Options and arguments that know what completion may offer for their values. */
import { Argument, Option } from 'commander';

export type Offer =
  | { readonly from: 'values'; readonly values: readonly string[]; /** Whether several are given, with commas. */ readonly list?: boolean }
  /** Models, anything with a key, or notes, of the session that the command line names. */
  | { readonly from: 'models' | 'everything' | 'notes' }
  /** The shell's own business. */
  | { readonly from: 'files' };

export class OfferingOption extends Option {
  readonly offer: Offer;

  constructor(flags: string, description: string, offer: Offer) {
    super(flags, description);
    this.offer = offer;
  }
}

export class OfferingArgument extends Argument {
  readonly offer: Offer;

  constructor(name: string, description: string, offer: Offer) {
    super(name, description);
    this.offer = offer;
  }
}

export const valuesOffer = (values: readonly string[], list = false): Offer => ({ from: 'values', values, list });
