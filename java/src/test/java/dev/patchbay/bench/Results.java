// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import java.util.ArrayList;
import java.util.List;

/** What a run has found so far. For any thread. */
public final class Results {
  private final List<Row> rows = new ArrayList<>();
  private final List<Chart> charts = new ArrayList<>();
  private final List<Headline> headlines = new ArrayList<>();
  private final List<String> remarks = new ArrayList<>();

  /** Adds a row; its key has to be new. */
  public synchronized void add(Row row) {
    if (rows.stream().anyMatch(other -> other.key().equals(row.key()))) {
      throw new IllegalArgumentException("two rows with the key " + row.key());
    }
    rows.add(row);
  }

  /** Adds a chart; its id has to be new. */
  public synchronized void add(Chart chart) {
    if (charts.stream().anyMatch(other -> other.id().equals(chart.id()))) {
      throw new IllegalArgumentException("two charts with the id " + chart.id());
    }
    charts.add(chart);
  }

  /** Adds a line of the README's table. */
  public synchronized void add(Headline headline) {
    headlines.add(headline);
  }

  /** Adds a sentence that stands at the top of the report: what went wrong, or was left out. */
  public synchronized void remark(String text) {
    remarks.add(text);
  }

  /** All rows, in the order in which they were added. */
  public synchronized List<Row> rows() {
    return List.copyOf(rows);
  }

  /** All charts, in the order in which they were added. */
  public synchronized List<Chart> charts() {
    return List.copyOf(charts);
  }

  /** The lines of the README's table. */
  public synchronized List<Headline> headlines() {
    return List.copyOf(headlines);
  }

  /** All remarks. */
  public synchronized List<String> remarks() {
    return List.copyOf(remarks);
  }
}
