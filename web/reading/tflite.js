/**
 * A .tflite file whose batch is open, for a runtime that wants to know it: the -1 in every tensor's shape becomes 1.
 *
 * The file is a FlatBuffer: a table begins with the distance back to its list of fields, and a field that is there
 * says where its value lies. Model.subgraphs is field 2, SubGraph.tensors field 0, Tensor.shape_signature field 7.
 */

const SUBGRAPHS = 2, TENSORS = 0, SHAPE_SIGNATURE = 7;

/** Return a copy of the file with a batch of 1. */
export function withBatchOfOne(file) {
  const bytes = file.slice();
  const view = new DataView(bytes.buffer);
  const follow = (place) => place + view.getUint32(place, true);
  const field = (table, number) => {
    const list = table - view.getInt32(table, true);
    const at = 4 + 2 * number;
    const offset = at < view.getUint16(list, true) ? view.getUint16(list + at, true) : 0;
    return offset ? follow(table + offset) : null;
  };
  const items = (vector) => {
    const length = vector === null ? 0 : view.getUint32(vector, true);
    return Array.from({ length }, (_, index) => vector + 4 + 4 * index);
  };
  for (const graph of items(field(follow(0), SUBGRAPHS)).map(follow)) {
    for (const tensor of items(field(graph, TENSORS)).map(follow)) {
      for (const size of items(field(tensor, SHAPE_SIGNATURE))) {
        if (view.getInt32(size, true) === -1) view.setInt32(size, 1, true);
      }
    }
  }
  return bytes;
}
