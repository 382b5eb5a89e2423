"""The same work in numpy and OpenCV on one thread. Arguments: folder of the .bin files, sides."""

import json
import statistics
import sys
import time

import cv2
import numpy as np

cv2.setNumThreads(1)
folder = sys.argv[1]
names = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
MEAN = np.array([0.4914, 0.4822, 0.4465], np.float32)
STD = np.array([0.2023, 0.1994, 0.201], np.float32)
IMAGES = 500


def read():
    return [np.fromfile(f"{folder}/{name}", np.uint8).reshape(-1, 3073) for name in names]


def milliseconds(run, rounds):
    run()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


result = {"read": milliseconds(read, 5)}
records = read()[0]
for side in map(int, sys.argv[2:]):

    def transform():
        for record in records[:IMAGES]:
            image = record[1:].reshape(3, 32, 32).transpose(1, 2, 0)
            large = cv2.resize(np.ascontiguousarray(image), (side, side))
            scaled = large * np.float32(1 / 255)
            np.ascontiguousarray(((scaled - MEAN) / STD).transpose(2, 0, 1))

    result[str(side)] = 1000 * IMAGES / milliseconds(transform, 7)
print(json.dumps(result))
