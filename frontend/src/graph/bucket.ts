/** T5's buckets of relative positions (Raffel et al. 2020, section 2.1): which row of the bias table a query and a
 *  key share. Near distances have a bucket each, far ones share logarithmically growing ones. */

import type { BucketIndex } from "./types";

/** The bucket of a query and a key. In single precision, as the model computes it: rounding decides at the edges. */
export function bucketOf(query: number, key: number, rule: BucketIndex): number {
  const buckets = rule.bidirectional ? rule.buckets >> 1 : rule.buckets;
  const later = rule.bidirectional && key > query ? buckets : 0;
  const distance = rule.bidirectional ? Math.abs(key - query) : Math.max(0, query - key);
  const exact = buckets >> 1;
  if (distance < exact) return later + distance;
  const grown = Math.fround(Math.log(Math.fround(distance / exact)));
  const whole = Math.fround(Math.log(rule.max_distance / exact));
  const share = Math.fround(Math.fround(grown / whole) * (buckets - exact));
  return later + Math.min(buckets - 1, exact + Math.trunc(share));
}
