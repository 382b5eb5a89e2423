/** What the user chose; see `BackendOptions`. */
export const settings = { winograd: true, relaxedSimd: true };
