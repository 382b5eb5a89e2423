import type { Unpickler } from './unpickler.ts';

const LATEST_PROTOCOL = 5;

/**
 * What each instruction of protocols 2 to 5 does, by its code. The names are those of pickletools; sets,
 * buffers outside of the file, extension registries and the text of protocol 0 are left out.
 */
export const INSTRUCTIONS: Readonly<Record<number, (machine: Unpickler) => void>> = {
  // PROTO, FRAME
  128(machine) {
    const version = machine.byte();
    if (version < 2 || version > LATEST_PROTOCOL) {
      throw machine.error(`protocol ${version}, where 2 to ${LATEST_PROTOCOL} are read`);
    }
  },
  149: (machine) => void machine.bytes(8),
  // MARK, POP, POP_MARK, DUP
  40: (machine) => machine.mark(),
  48: (machine) => void machine.pop(),
  49: (machine) => void machine.popToMark(),
  50: (machine) => machine.push(machine.top()),
  // NONE, NEWTRUE, NEWFALSE
  78: (machine) => machine.push(null),
  136: (machine) => machine.push(true),
  137: (machine) => machine.push(false),
  // BININT, BININT1, BININT2, LONG1, LONG4, BINFLOAT
  74: (machine) => machine.push(machine.view(4).getInt32(0, true)),
  75: (machine) => machine.push(machine.byte()),
  77: (machine) => machine.push(machine.view(2).getUint16(0, true)),
  138: (machine) => machine.push(machine.long(machine.byte())),
  139: (machine) => machine.push(machine.long(machine.uint32())),
  71: (machine) => machine.push(machine.view(8).getFloat64(0)),
  // BINSTRING, SHORT_BINSTRING
  84: (machine) => machine.push(machine.bytes(machine.view(4).getInt32(0, true))),
  85: (machine) => machine.push(machine.bytes(machine.byte())),
  // BINUNICODE, SHORT_BINUNICODE, BINUNICODE8
  88: (machine) => machine.push(machine.text(machine.uint32())),
  140: (machine) => machine.push(machine.text(machine.byte())),
  141: (machine) => machine.push(machine.text(machine.uint64())),
  // BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8
  66: (machine) => machine.push(machine.bytes(machine.uint32())),
  67: (machine) => machine.push(machine.bytes(machine.byte())),
  142: (machine) => machine.push(machine.bytes(machine.uint64())),
  150: (machine) => machine.push(machine.bytes(machine.uint64())),
  // EMPTY_LIST, LIST, APPEND, APPENDS
  93: (machine) => machine.list([]),
  108: (machine) => machine.list(machine.popToMark()),
  97: (machine) => machine.append([machine.pop()]),
  101: (machine) => machine.append(machine.popToMark()),
  // EMPTY_DICT, DICT, SETITEM, SETITEMS
  125: (machine) => machine.dict([]),
  100: (machine) => machine.dict(machine.popToMark()),
  115: (machine) => machine.setItem(),
  117: (machine) => machine.setItems(machine.popToMark()),
  // EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3
  41: (machine) => machine.tuple([]),
  116: (machine) => machine.tuple(machine.popToMark()),
  133: (machine) => machine.tupleOf(1),
  134: (machine) => machine.tupleOf(2),
  135: (machine) => machine.tupleOf(3),
  // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
  113: (machine) => machine.put(machine.byte()),
  114: (machine) => machine.put(machine.uint32()),
  148: (machine) => machine.memoize(),
  104: (machine) => machine.get(machine.byte()),
  106: (machine) => machine.get(machine.uint32()),
  // GLOBAL, STACK_GLOBAL
  99: (machine) => machine.global(machine.line(), machine.line()),
  147(machine) {
    const name = machine.pop();
    machine.global(machine.pop(), name);
  },
  // REDUCE, NEWOBJ, BUILD, BINPERSID
  82: (machine) => machine.reduce(),
  129: (machine) => machine.reduce(),
  98: (machine) => machine.build(),
  81: (machine) => machine.persistent(),
};
