#!/bin/bash
# heads whose scalp is three to six times as bright as the brain, as fat beside a coil is: is the foreground the inside of the head?
# right: each mask covers at least two thirds of the brain (eroding it by 8 mm leaves 78 %) and next to nothing of the scalp, and hardly changes under a smooth bias
cd "$(dirname "$0")" && . ../common.sh || exit
$python - <<'P'
import sys
import numpy as np
from bench.metrics.image import foreground

y, x = np.mgrid[-1 : 1 : 168j, -1 : 1 : 140j]
radius = np.hypot(y / 0.92, x / 0.88)
brain, scalp = radius < 0.80, (radius > 0.90) & (radius < 1)
texture = 1 + 0.25 * np.sin(9 * x) * np.cos(7 * y)
wrong = 0
for bright in (1.5, 3, 4.5, 6):
    for bias in (0.0, 0.5, 1.0):
        shade = np.exp(bias * (0.7 * x + 0.7 * y - 0.35))
        truth = (0.15 * brain * texture + 0.15 * bright * scalp) * shade
        mask = foreground(truth, (1.2, 1.2))
        inside, outside = mask[brain].mean(), mask[scalp].mean()
        bad = inside < 0.67 or outside > 0.05
        wrong += bad
        print(f"scalp {bright:3.1f}x, bias {bias:.1f}: {inside:5.1%} of the brain, {outside:5.1%} of the scalp {'WRONG' if bad else ''}")
sys.exit(bool(wrong))
P
