// SqueezeNet as an ONNX file, for every onnxruntime.

// An ONNX model is a protocol buffer: a field is its number and wire type, then a varint or a length
// and bytes (https://protobuf.dev/programming-guides/encoding, field numbers from onnx.proto3).
function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}
const integer = (field, value) => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field, ...parts) => {
  const value = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);
};

// Kinds of elements and attributes.
const FLOAT = 1;
const INTEGER = 2;
const INTEGERS = 7;

const tensor = (name, dims, data) =>
  bytes(
    5,
    ...dims.map((dim) => integer(1, dim)),
    integer(2, FLOAT),
    bytes(8, name),
    bytes(9, data.buffer),
  );
const attribute = (name, value) =>
  Array.isArray(value)
    ? bytes(5, bytes(1, name), ...value.map((each) => integer(8, each)), integer(20, INTEGERS))
    : bytes(5, bytes(1, name), integer(3, value), integer(20, INTEGER));
const valueInfo = (field, name, dims) => {
  const shape = bytes(2, ...dims.map((dim) => bytes(1, integer(1, dim))));
  return bytes(field, bytes(1, name), bytes(2, bytes(1, integer(1, FLOAT), shape)));
};

/** SqueezeNet 1.0 with random weights, as the bytes of an ONNX file. */
export function squeezenet(batch, size) {
  const nodes = [];
  const initializers = [];
  const node = (operation, inputs, attributes = {}) => {
    const output = `${operation}${nodes.length}`;
    nodes.push(
      bytes(
        1,
        ...inputs.map((input) => bytes(1, input)),
        bytes(2, output),
        bytes(4, operation),
        ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      ),
    );
    return output;
  };
  const parameter = (...dims) => {
    const count = dims.reduce((product, dim) => product * dim, 1);
    const bound = Math.sqrt(6 / (count / dims[0]));
    const name = `parameter${initializers.length}`;
    const values = Float32Array.from({ length: count }, () => bound * (2 * Math.random() - 1));
    initializers.push(tensor(name, dims, values));
    return name;
  };
  const convolution = (x, channels, filters, kernel, stride = 1, pad = 0) => {
    const weight = parameter(filters, channels, kernel, kernel);
    const sums = node('Conv', [x, weight, parameter(filters)], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
    });
    return node('Relu', [sums]);
  };
  const pool = (x) => node('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2] });

  let x = pool(convolution('images', 3, 96, 7, 2));
  let channels = 96;
  for (const [i, expand] of [64, 64, 128, 128, 192, 192, 256, 256].entries()) {
    const squeezed = convolution(x, channels, expand / 4, 1);
    const branches = [
      convolution(squeezed, expand / 4, expand, 1),
      convolution(squeezed, expand / 4, expand, 3, 1, 1),
    ];
    x = node('Concat', branches, { axis: 1 });
    channels = 2 * expand;
    if (i === 2 || i === 6) x = pool(x);
  }
  const scores = node('GlobalAveragePool', [convolution(x, channels, 10, 1)]);
  const graph = bytes(
    7,
    ...nodes,
    bytes(2, 'squeezenet'),
    ...initializers,
    valueInfo(11, 'images', [batch, 3, size, size]),
    valueInfo(12, scores, [batch, 10, 1, 1]),
  );
  const model = Buffer.concat([integer(1, 8), graph, bytes(8, bytes(1, ''), integer(2, 13))]);
  return { model, scores };
}
