interface Settings {
  winograd: boolean;
  relaxedSimd: boolean;
  wideVectors: boolean;
  /** null: as many as there are processors. */
  threads: number | null;
}

/** What the user chose; see `BackendOptions` and `setThreads`. */
export const settings: Settings = {
  winograd: true,
  relaxedSimd: true,
  wideVectors: true,
  threads: null,
};
