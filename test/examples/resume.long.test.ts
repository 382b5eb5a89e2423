import { testFullDisk, testKills, undisturbedRun } from './disturbances.ts';

const run = undisturbedRun();

testKills(run, 20);

testFullDisk(
  run,
  Array.from({ length: 30 }, (_, i) => i + 1),
);
