/** Probabilities made honest. A twin of reading/models/temperature.py. */

import { numbers } from "./settings.js";

/** Return ten probabilities after temperature scaling. */
export function scaled(probabilities, temperature) {
  const logits = Array.from(probabilities, (share) => Math.log(Math.max(share, numbers.temperature.TINY)) / temperature);
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
