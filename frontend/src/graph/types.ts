/** The graph of a model as the server publishes it (`GET /api/v1/models/{id}/graph`): one declaration for
 *  drawing, hovering and animating. The shapes are the server's own, under the page's names. */

export type {
  Axis as AxisIndex,
  Bucket as BucketIndex,
  Constant as ConstantIndex,
  Free as FreeIndex,
  Graph,
  GraphTensor as TensorInfo,
  IndexExpression,
  Lookup as LookupIndex,
  Op,
  Pair as PairIndex,
  Read,
  Role,
} from "../net/contract.gen";
