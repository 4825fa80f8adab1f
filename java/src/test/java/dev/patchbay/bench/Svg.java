// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import dev.patchbay.bench.Chart.Bars;
import dev.patchbay.bench.Chart.Line;
import dev.patchbay.bench.Chart.Lines;
import dev.patchbay.bench.Chart.Point;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;

/**
 * Draws charts. Colours are CSS variables, so that a picture follows its reader's choice of light
 * or dark; {@link #style} defines them.
 */
final class Svg {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 380;
  private static final int LEFT = 70;
  private static final int RIGHT = 20;
  private static final int TOP = 64;
  private static final int BOTTOM = 52;
  private static final int TICKS = 6;

  private final StringBuilder text = new StringBuilder();

  private Svg() {}

  /** A colour in both schemes. */
  private record Colour(String name, String light, String dark) {}

  private static final List<Colour> COLOURS =
      List.of(
          new Colour("ink", "#1f2328", "#e6edf3"),
          new Colour("paper", "#ffffff", "#0d1117"),
          new Colour("faint", "#d8dee4", "#30363d"),
          new Colour("soft", "#59636e", "#9198a1"),
          new Colour("direct", "#6e7781", "#9198a1"),
          new Colour("conntrack", "#9a6700", "#d29922"),
          new Colour("noop", "#8c959f", "#7d8590"),
          new Colour("loader", "#57606a", "#b1bac4"),
          new Colour("patchbay", "#0969da", "#4493f8"),
          new Colour("variant", "#54aeff", "#79c0ff"),
          new Colour("nftables", "#bc4c00", "#f0883e"),
          new Colour("iptables", "#cf222e", "#f85149"));

  /** Definitions of the colours, for both schemes. */
  static String style() {
    return ":root { %s }%n@media (prefers-color-scheme: dark) { :root { %s } }%n"
        .formatted(definitions(Colour::light), definitions(Colour::dark));
  }

  private static String definitions(Function<Colour, String> value) {
    return COLOURS.stream()
        .map(colour -> "--%s: %s;".formatted(colour.name(), value.apply(colour)))
        .collect(Collectors.joining(" "));
  }

  /** The CSS variable for a peer. */
  static String colour(Peer peer) {
    return switch (peer) {
      case DIRECT, DIRECT_AGAIN -> "var(--direct)";
      case CONNTRACK -> "var(--conntrack)";
      case NO_OP -> "var(--noop)";
      case C_LOADER -> "var(--loader)";
      case PATCHBAY -> "var(--patchbay)";
      case PATCHBAY_VARIANT -> "var(--variant)";
      case NFTABLES -> "var(--nftables)";
      case IPTABLES -> "var(--iptables)";
    };
  }

  /**
   * A picture that stands alone, with its own colours. What shows it may know no CSS variables, or
   * no CSS: so the light ones are attributes, and only the dark ones are a matter of style.
   */
  static String file(Chart chart) {
    String picture = draw(chart);
    StringBuilder dark = new StringBuilder();
    for (Colour colour : COLOURS) {
      for (String property : List.of("fill", "stroke")) {
        String kind = property + "-" + colour.name();
        picture =
            picture.replace(
                "%s='var(--%s)'".formatted(property, colour.name()),
                "%s='%s' class='%s'".formatted(property, colour.light(), kind));
        dark.append(" .%s { %s: %s }".formatted(kind, property, colour.dark()));
      }
    }
    return picture.replaceFirst(
        ">",
        "><style>svg { font-family: system-ui, sans-serif }\n@media (prefers-color-scheme: dark) {%s }</style>%n<rect x='0' y='0' width='%d' height='%d' fill='#ffffff' class='fill-paper'/>"
            .formatted(dark, WIDTH, HEIGHT));
  }

  /** A picture in a page that defines the colours. */
  static String draw(Chart chart) {
    Svg svg = new Svg();
    svg.add(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' role='img' aria-label='%s'>"
            .formatted(WIDTH, HEIGHT, escape(chart.title())));
    svg.label(LEFT, 20, "start", "var(--ink)", 15, chart.title());
    switch (chart) {
      case Lines lines -> svg.lines(lines);
      case Bars bars -> svg.bars(bars);
    }
    svg.add("</svg>");
    return svg.text.toString();
  }

  // --- Lines ------------------------------------------------------------------------------------

  private void lines(Lines chart) {
    List<Point> points = chart.lines().stream().flatMap(line -> line.points().stream()).toList();
    if (points.isEmpty()) {
      label(WIDTH / 2, HEIGHT / 2, "middle", "var(--soft)", 14, "nothing was measured");
      return;
    }
    Axis x =
        Axis.of(chart.logarithmicX(), points.stream().mapToDouble(Point::x).toArray(), Double.NaN);
    Axis y = vertical(chart.logarithmicY(), points, chart.logarithmicY() ? Double.NaN : 1);
    DoubleUnaryOperator across = value -> LEFT + 12 + x.part(value) * (WIDTH - LEFT - RIGHT - 24);
    DoubleUnaryOperator up = value -> HEIGHT - BOTTOM - y.part(value) * (HEIGHT - TOP - BOTTOM);
    frame(y, up, chart.values());
    for (double tick : x.ticks()) {
      double at = across.applyAsDouble(tick);
      label(at, HEIGHT - BOTTOM + 18, "middle", "var(--soft)", 12, Numbers.plain(tick));
    }
    label(
        (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 10, "middle", "var(--soft)", 12, chart.arguments());
    legend(chart.lines());
    for (Line line : chart.lines()) {
      String colour = colour(line.peer());
      StringBuilder path = new StringBuilder();
      for (Point point : line.points()) {
        double h = across.applyAsDouble(point.x());
        double v = up.applyAsDouble(point.y());
        path.append(path.isEmpty() ? 'M' : 'L').append(number(h)).append(' ').append(number(v));
        whisker(h, up, point.range(), colour);
        add(
            "<circle cx='%s' cy='%s' r='4' fill='%s'><title>%s: %s at %s</title></circle>"
                .formatted(
                    number(h),
                    number(v),
                    colour,
                    escape(line.name()),
                    Numbers.format(point.y(), Row.RATIO),
                    Numbers.plain(point.x())));
      }
      add(
          "<path d='%s' fill='none' stroke='%s' stroke-width='2.5' stroke-linejoin='round'/>"
              .formatted(path, colour));
    }
  }

  // --- Bars -------------------------------------------------------------------------------------

  private void bars(Bars chart) {
    List<Point> points = chart.bars().stream().flatMap(line -> line.points().stream()).toList();
    if (points.isEmpty()) {
      label(WIDTH / 2, HEIGHT / 2, "middle", "var(--soft)", 14, "nothing was measured");
      return;
    }
    Axis y = vertical(false, points, chart.base());
    DoubleUnaryOperator up = value -> HEIGHT - BOTTOM - y.part(value) * (HEIGHT - TOP - BOTTOM);
    frame(y, up, chart.values());
    legend(chart.bars());
    double group = (double) (WIDTH - LEFT - RIGHT) / chart.categories().size();
    double width = group * 0.8 / chart.bars().size();
    for (int i = 0; i < chart.categories().size(); i++) {
      label(
          LEFT + (i + 0.5) * group,
          HEIGHT - BOTTOM + 18,
          "middle",
          "var(--soft)",
          12,
          chart.categories().get(i));
    }
    double base = up.applyAsDouble(chart.base());
    for (int which = 0; which < chart.bars().size(); which++) {
      Line line = chart.bars().get(which);
      for (Point point : line.points()) {
        double left = LEFT + (point.x() + 0.1) * group + which * width;
        double end = up.applyAsDouble(point.y());
        add(
            "<rect x='%s' y='%s' width='%s' height='%s' fill='%s'><title>%s: %s</title></rect>"
                .formatted(
                    number(left),
                    number(Math.min(end, base)),
                    number(width * 0.92),
                    number(Math.max(1, Math.abs(end - base))),
                    colour(line.peer()),
                    escape(line.name()),
                    Numbers.format(point.y(), Row.RATIO)));
        whisker(left + width * 0.46, up, point.range(), "var(--ink)");
      }
    }
  }

  // --- Parts ------------------------------------------------------------------------------------

  private static Axis vertical(boolean logarithmic, List<Point> points, double base) {
    return Axis.of(
        logarithmic,
        points.stream()
            .flatMapToDouble(
                point -> DoubleStream.of(point.y(), point.range().low(), point.range().high()))
            .toArray(),
        base);
  }

  private void frame(Axis y, DoubleUnaryOperator up, String values) {
    for (double tick : y.ticks()) {
      double at = up.applyAsDouble(tick);
      add(
          "<line x1='%d' x2='%d' y1='%s' y2='%s' stroke='var(--faint)'/>"
              .formatted(LEFT, WIDTH - RIGHT, number(at), number(at)));
      label(LEFT - 8, at + 4, "end", "var(--soft)", 12, Numbers.plain(tick));
    }
    add(
        ("<text transform='translate(16 %d) rotate(-90)' text-anchor='middle' fill='var(--soft)'"
                + " font-size='12'>%s</text>")
            .formatted((TOP + HEIGHT - BOTTOM) / 2, escape(values)));
  }

  private void legend(List<Line> lines) {
    double at = LEFT;
    for (Line line : lines) {
      add(
          "<rect x='%s' y='33' width='12' height='12' rx='2' fill='%s'/>"
              .formatted(number(at), colour(line.peer())));
      label(at + 17, 44, "start", "var(--ink)", 12, line.name());
      at += 34 + 6.6 * line.name().length();
    }
  }

  private void whisker(double x, DoubleUnaryOperator up, Interval range, String colour) {
    add(
        "<line x1='%s' x2='%s' y1='%s' y2='%s' stroke='%s' stroke-width='1.2'/>"
            .formatted(
                number(x),
                number(x),
                number(up.applyAsDouble(range.low())),
                number(up.applyAsDouble(range.high())),
                colour));
  }

  private void label(double x, double y, String anchor, String colour, int size, String content) {
    add(
        "<text x='%s' y='%s' text-anchor='%s' fill='%s' font-size='%d'>%s</text>"
            .formatted(number(x), number(y), anchor, colour, size, escape(content)));
  }

  private void add(String element) {
    text.append(element).append('\n');
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  /** Text as content or attribute of an element. */
  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("'", "&#39;")
        .replace("\"", "&quot;");
  }

  /** Where values are between the ends of an axis. */
  private record Axis(boolean logarithmic, double low, double high, List<Double> ticks) {
    /**
     * Around values.
     *
     * @param base which is on it, too; NaN: nothing special
     */
    static Axis of(boolean logarithmic, double[] values, double base) {
      double[] all =
          Double.isNaN(base)
              ? values
              : DoubleStream.concat(DoubleStream.of(values), DoubleStream.of(base)).toArray();
      double low = DoubleStream.of(all).min().orElse(0);
      double high = DoubleStream.of(all).max().orElse(1);
      return logarithmic ? decades(low, high) : linear(low, high);
    }

    private static Axis decades(double low, double high) {
      double first = Math.floor(Math.log10(low) + 1e-9);
      double last = Math.max(first + 1, Math.ceil(Math.log10(high) - 1e-9));
      List<Double> ticks = new ArrayList<>();
      for (double power = first; power <= last; power++) {
        ticks.add(Math.pow(10, power));
      }
      return new Axis(true, Math.pow(10, first), Math.pow(10, last), ticks);
    }

    private static Axis linear(double low, double high) {
      double span = high > low ? high - low : Math.max(1e-3, Math.abs(high));
      double rough = span / TICKS;
      double unit = Math.pow(10, Math.floor(Math.log10(rough)));
      double step =
          rough / unit < 1.5
              ? unit
              : rough / unit < 3.5 ? 2 * unit : rough / unit < 7.5 ? 5 * unit : 10 * unit;
      double first = Math.floor(low / step + 1e-9);
      double last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
      List<Double> ticks = new ArrayList<>();
      for (double i = first; i <= last; i++) {
        ticks.add(Math.rint(i * step * 1e6) / 1e6);
      }
      return new Axis(false, first * step, last * step, ticks);
    }

    double part(double value) {
      return logarithmic
          ? (Math.log10(value) - Math.log10(low)) / (Math.log10(high) - Math.log10(low))
          : (value - low) / (high - low);
    }
  }
}
