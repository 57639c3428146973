"""Summarises a CSV file: rows, columns, and count, minimum, maximum and mean of each numeric column, as summary.json."""

import argparse
import csv
import json
import math
import sys

ROWS_BETWEEN_LINES = 100_000


class Column:
    """A column is numeric as long as no cell of it is anything else than a finite number, or empty."""

    def __init__(self, name):
        self.name = name
        self.numeric = True
        self.count = 0
        self.sum = 0.0
        self.min = math.inf
        self.max = -math.inf

    def add(self, cell):
        if not self.numeric or cell.strip() == "":
            return
        try:
            number = float(cell)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.numeric = False
            return
        self.count += 1
        self.sum += number
        self.min = min(self.min, number)
        self.max = max(self.max, number)

    def summary(self):
        return {"count": self.count, "min": self.min, "max": self.max, "mean": self.sum / self.count}


def summarise(lines, delimiter):
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    columns = [Column(name) for name in next(reader, [])]
    if not columns:
        raise ValueError("line 1: the file has no header")
    rows = 0
    for row in reader:
        if len(row) != len(columns):
            raise ValueError(f"line {reader.line_num}: {len(row)} cells, the header has {len(columns)}")
        for column, cell in zip(columns, row):
            column.add(cell)
        rows += 1
        if rows % ROWS_BETWEEN_LINES == 0:
            print(f"{rows} rows", flush=True)
    numeric = {column.name: column.summary() for column in columns if column.numeric and column.count > 0}
    return {"rows": rows, "columns": [column.name for column in columns], "numeric": numeric}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--delimiter", default=",")
    arguments = parser.parse_args()
    print("reading", flush=True)
    try:
        with open(arguments.data, encoding="utf-8-sig", newline="") as lines:
            summary = summarise(lines, arguments.delimiter)
    except (ValueError, csv.Error) as error:
        sys.exit(f"the file cannot be summarised: {error}")
    with open("summary.json", "w", encoding="utf-8") as file:
        json.dump(summary, file, indent=2)
    print(f"done: {summary['rows']} rows, {len(summary['numeric'])} numeric columns", flush=True)


if __name__ == "__main__":
    main()
