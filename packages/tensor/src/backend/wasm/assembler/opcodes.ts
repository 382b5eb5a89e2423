import { unsigned } from './encoding.ts';

/**
 * The instructions that kernels are made of, as the bytes that stand for them.
 *
 * @see https://webassembly.github.io/spec/core/binary/instructions.html
 */

/** Instructions on vectors have a prefix, and so have those that threads see in one order. */
const simd = (code: number): readonly number[] => [0xfd, ...unsigned(code)];
const atomic = (code: number): readonly number[] => [0xfe, ...unsigned(code)];

export const OPCODE = {
  block: [0x02],
  loop: [0x03],
  if: [0x04],
  else: [0x05],
  end: [0x0b],
  br: [0x0c],
  br_if: [0x0d],
  call: [0x10],
  call_indirect: [0x11],
  drop: [0x1a],
  select: [0x1b],

  'local.get': [0x20],
  'local.set': [0x21],

  'i32.load': [0x28],
  'f32.load': [0x2a],
  'f64.load': [0x2b],
  'i32.store': [0x36],
  'f32.store': [0x38],
  'f64.store': [0x39],

  'i32.const': [0x41],
  'i64.const': [0x42],
  'f32.const': [0x43],
  'f64.const': [0x44],

  'i32.eqz': [0x45],
  'i32.eq': [0x46],
  'i32.ne': [0x47],
  'i32.lt_s': [0x48],
  'i32.gt_s': [0x4a],
  'i32.le_s': [0x4c],
  'i32.ge_s': [0x4e],
  'f32.ne': [0x5c],
  'f32.gt': [0x5e],
  'f32.le': [0x5f],

  'i32.add': [0x6a],
  'i32.sub': [0x6b],
  'i32.mul': [0x6c],
  'i32.div_u': [0x6e],
  'i32.rem_u': [0x70],
  'i32.and': [0x71],
  'i32.shl': [0x74],
  'i32.shr_u': [0x76],
  'f32.sqrt': [0x91],
  'f32.add': [0x92],
  'f32.sub': [0x93],
  'f32.mul': [0x94],
  'f32.div': [0x95],
  'f32.min': [0x96],
  'f32.max': [0x97],
  'f64.add': [0xa0],
  'f64.sub': [0xa1],
  'f64.mul': [0xa2],
  'f64.div': [0xa3],

  'f32.convert_i32_s': [0xb2],
  'f32.demote_f64': [0xb6],
  'f64.convert_i32_s': [0xb7],
  'f64.promote_f32': [0xbb],

  'v128.load': simd(0x00),
  'v128.load32_splat': simd(0x09),
  'v128.load64_zero': simd(0x5d),
  'v128.store': simd(0x0b),
  'v128.store64_lane': simd(0x5b),
  'v128.const': simd(0x0c),
  'i8x16.shuffle': simd(0x0d),
  'i32x4.splat': simd(0x11),
  'f32x4.splat': simd(0x13),
  'f64x2.splat': simd(0x14),
  'i32x4.extract_lane': simd(0x1b),
  'i32x4.replace_lane': simd(0x1c),
  'f32x4.extract_lane': simd(0x1f),
  'f32x4.replace_lane': simd(0x20),
  'f64x2.extract_lane': simd(0x21),

  'i32x4.eq': simd(0x37),
  'i32x4.lt_u': simd(0x3a),
  'f32x4.eq': simd(0x41),
  'f32x4.ne': simd(0x42),
  'f32x4.lt': simd(0x43),
  'f32x4.gt': simd(0x44),
  'f32x4.le': simd(0x45),
  'f32x4.ge': simd(0x46),

  'v128.and': simd(0x4e),
  'v128.andnot': simd(0x4f),
  'v128.or': simd(0x50),
  'v128.xor': simd(0x51),
  'v128.bitselect': simd(0x52),
  'v128.any_true': simd(0x53),

  'i32x4.shl': simd(0xab),
  'i32x4.shr_s': simd(0xac),
  'i32x4.shr_u': simd(0xad),
  'i32x4.add': simd(0xae),
  'i32x4.sub': simd(0xb1),
  'i32x4.mul': simd(0xb5),
  'i32x4.max_s': simd(0xb8),
  'i64x2.extmul_low_i32x4_u': simd(0xde),
  'i64x2.extmul_high_i32x4_u': simd(0xdf),

  'f32x4.abs': simd(0xe0),
  'f32x4.neg': simd(0xe1),
  'f32x4.sqrt': simd(0xe3),
  'f32x4.add': simd(0xe4),
  'f32x4.sub': simd(0xe5),
  'f32x4.mul': simd(0xe6),
  'f32x4.div': simd(0xe7),
  'f32x4.min': simd(0xe8),
  'f32x4.max': simd(0xe9),
  'f32x4.pmax': simd(0xeb),
  'f32x4.relaxed_madd': simd(0x105),
  'f64x2.add': simd(0xf0),
  'f64x2.mul': simd(0xf2),

  'f32x4.demote_f64x2_zero': simd(0x5e),
  'f64x2.promote_low_f32x4': simd(0x5f),
  'i32x4.trunc_sat_f32x4_s': simd(0xf8),
  'f32x4.convert_i32x4_s': simd(0xfa),

  'memory.atomic.notify': atomic(0x00),
  'memory.atomic.wait32': atomic(0x01),
  'i32.atomic.load': atomic(0x10),
  'i32.atomic.store': atomic(0x17),
  'i32.atomic.rmw.add': atomic(0x1e),
} as const satisfies Readonly<Record<string, readonly number[]>>;

export type Opcode = keyof typeof OPCODE;
