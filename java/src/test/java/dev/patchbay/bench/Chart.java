// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import java.util.List;

/** A picture of the report. */
public sealed interface Chart {
  /** Unique among all charts, in the form of an XML name. */
  String id();

  /** What it shows. */
  String title();

  /** What the values are, with their unit. */
  String values();

  /**
   * A line per peer.
   *
   * @param id see {@link Chart#id}
   * @param title see {@link Chart#title}
   * @param arguments what the horizontal axis is, with its unit
   * @param values see {@link Chart#values}
   * @param logarithmicX whether the horizontal axis is; then all are above 0
   * @param logarithmicY whether the vertical axis is; then all are above 0
   * @param lines what is drawn
   */
  record Lines(
      String id,
      String title,
      String arguments,
      String values,
      boolean logarithmicX,
      boolean logarithmicY,
      List<Line> lines)
      implements Chart {
    /** Copies the lines. */
    public Lines {
      lines = List.copyOf(lines);
    }
  }

  /**
   * A line, or a kind of bars.
   *
   * @param peer which gives the colour
   * @param name what the legend says
   * @param points in the order of {@code x}
   */
  record Line(Peer peer, String name, List<Point> points) {
    /** Copies the points. */
    public Line {
      points = List.copyOf(points);
    }
  }

  /**
   * A point, with the range of its runs.
   *
   * @param x horizontally
   * @param y vertically
   * @param range of {@code y}
   */
  record Point(double x, double y, Interval range) {
    /** Of a figure, with its runs. */
    public static Point of(double x, Figure figure) {
      return new Point(x, figure.value(), new Interval(figure.low(), figure.high()));
    }
  }

  /**
   * Bars, a group per category.
   *
   * @param id see {@link Chart#id}
   * @param title see {@link Chart#title}
   * @param values see {@link Chart#values}
   * @param base where bars begin, for example 1 for ratios
   * @param categories below the groups
   * @param bars {@code x} of their points is the index of the category
   */
  record Bars(
      String id, String title, String values, double base, List<String> categories, List<Line> bars)
      implements Chart {
    /** Copies the lists. */
    public Bars {
      categories = List.copyOf(categories);
      bars = List.copyOf(bars);
    }
  }
}
