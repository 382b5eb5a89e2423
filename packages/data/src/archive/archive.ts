/** One file of a data set, with the sizes that it may have. */
export interface ArchiveFile {
  readonly name: string;
  readonly leastBytes: number;
  readonly mostBytes: number;
}

/** One file on the web. */
export interface Download {
  readonly name: string;
  readonly url: string;
  readonly md5: string;
}

/** The files of a data set as its authors published them: where they are and how to know them. */
export interface Archive<Split extends string = string> {
  /** Name of the data set in messages. */
  readonly title: string;
  /** What is fetched: one `.tar.gz` with all files in `folder`, or the files themselves. */
  readonly downloads: readonly [Download, ...Download[]];
  /** Folder into which the files are put. */
  readonly folder: string;
  /** The files of each split, in the order in which they are read. */
  readonly files: Readonly<Record<Split, readonly ArchiveFile[]>>;
  /** More than so many bytes are never fetched for one download. */
  readonly mostBytes: number;
  /** More than so many bytes are never taken out of a `.tar.gz`. */
  readonly mostUnpackedBytes?: number;
}

/** A data set: the forms in which it is published, the preferred one first. */
export type Forms<Form extends Archive = Archive> = readonly [Form, ...Form[]];

/** A file that has exactly so many bytes. */
export function fileOfBytes(name: string, bytes: number): ArchiveFile {
  return { name, leastBytes: bytes, mostBytes: bytes };
}

/** All files of an archive, each once, though several splits may have it. */
export function allFiles({ files }: Archive): readonly ArchiveFile[] {
  const splits: readonly (readonly ArchiveFile[])[] = Object.values(files);
  return [...new Map(splits.flat().map((file) => [file.name, file])).values()];
}

/** Whether the files come packed in one `.tar.gz`. */
export function isPacked({ downloads: [first] }: Archive): boolean {
  return first.name.endsWith('.tar.gz');
}

/** `3073`, or `31000000 to 31100000`: the sizes that a file may have. */
export function sizesOf({ leastBytes, mostBytes }: ArchiveFile): string {
  return leastBytes === mostBytes ? String(leastBytes) : `${leastBytes} to ${mostBytes}`;
}

export function hasRightSize({ leastBytes, mostBytes }: ArchiveFile, bytes: number): boolean {
  return bytes >= leastBytes && bytes <= mostBytes;
}
