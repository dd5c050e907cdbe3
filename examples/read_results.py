"""Read the rows of a results folder and print the mean of each method.

    python examples/read_results.py runs

takes `results`, which is shipped, where no folder is named. A row is a slice; `group` says whether a method is joint or
sequential. Means over slices of one person say nothing about people: look at `subject` before you conclude anything.
"""

import sys

import bench

table = bench.read_results(sys.argv[1] if len(sys.argv) > 1 else "results")
people = table.groupby(["dataset", "profile", "group", "method", "subject"])[["psnr", "ssim", "lpips", "nmse"]].mean()
means = people.groupby(["dataset", "profile", "group", "method"]).mean()
print(means.sort_values(["dataset", "psnr"], ascending=[True, False]).round(3).to_string())
