// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Json;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

class ReportTest {
  private static final Goal GOAL = Goal.atMost("D1", "connection <fixed>", "direct", 1.03, 1.02);

  private static Report report(boolean quick) {
    Results results = new Results();
    Figure figure = Figure.of(List.of(1.021, 1.024, 1.03), 300).with(new Interval(1.02, 1.028));
    results.add(
        Row.of("goal", "Goals: connections", "connection <fixed>", Peer.PATCHBAY, Row.RATIO, figure)
            .services(10_000)
            .against("direct")
            .goal(GOAL));
    for (Peer peer : List.of(Peer.PATCHBAY, Peer.IPTABLES)) {
      for (String measure : List.of("time", "processor time")) {
        results.add(
            Row.of(peer + measure, "connections", measure, peer, "us", Figure.of(41.5))
                .services(10)
                .subject("one Service"));
      }
    }
    results.add(
        Row.missing("none", "connections", "time", Peer.NFTABLES, "us", "it did not | start")
            .services(10)
            .subject("one Service"));
    results.add(
        new Chart.Lines(
            "connect",
            "Cost & size",
            "Services",
            "time",
            true,
            false,
            List.of(
                new Chart.Line(
                    Peer.PATCHBAY,
                    "Patchbay",
                    List.of(
                        new Chart.Point(1, 1.01, new Interval(1.0, 1.02)),
                        Chart.Point.of(10_000, figure))),
                new Chart.Line(
                    Peer.IPTABLES,
                    "kube-proxy iptables",
                    List.of(new Chart.Point(10_000, 2.0, new Interval(1.9, 2.1)))))));
    results.add(
        new Chart.Bars(
            "bars",
            "Requests",
            "time, direct = 1",
            1,
            List.of("TCP", "UDP"),
            List.of(
                new Chart.Line(
                    Peer.NFTABLES,
                    "kube-proxy nftables",
                    List.of(
                        new Chart.Point(0, 1.2, new Interval(1.1, 1.3)),
                        new Chart.Point(1, 0.9, new Interval(0.9, 0.9)))))));
    results.add(
        new Headline(
            "connection", Row.RATIO, Map.of(Peer.DIRECT, Figure.of(1), Peer.PATCHBAY, figure)));
    results.remark("a remark with <brackets>");
    return new Report(
        new Machine(
            Map.of("kernel", "6.18", "cores", "2", "processor", "some", "date", "2026-01-02T03")),
        quick,
        42,
        results);
  }

  @Test
  void itIsWrittenWhole(@TempDir Path directory) throws IOException {
    Report.write(directory, report(false));
    try (var files = Files.list(directory)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "results.json", "table.md", "report.html", "readme.md", "connect.svg", "bars.svg");
    }
  }

  @Test
  void programsReadEachRunAndVerdict() {
    Json all = Json.parse(report(false).json());
    Json goal = all.get("rows").elements().getFirst();
    assertThat(goal.get("verdict").text()).isEqualTo("met");
    assertThat(goal.get("goal").get("id").text()).isEqualTo("D1");
    assertThat(goal.get("runs").elements()).hasSize(3);
    assertThat(goal.get("confidence95").elements()).hasSize(2);
    assertThat(goal.get("value").text()).isEqualTo("1.024");
    assertThat(all.get("machine").get("kernel").text()).isEqualTo("6.18");
    assertThat(all.get("charts").elements()).hasSize(2);
    Json missing = all.get("rows").elements().getLast();
    assertThat(missing.find("value")).isEmpty();
    assertThat(missing.get("notes").elements().getFirst().text()).isEqualTo("it did not | start");
  }

  @Test
  void aValueThatIsNoneIsNull() {
    Results results = new Results();
    results.add(Row.of("k", "g", "m", Peer.DIRECT, "us", Figure.of(Double.NaN)));
    Json all = Json.parse(new Report(new Machine(Map.of()), false, 1, results).json());
    assertThat(all.get("rows").elements().getFirst().find("value")).isEmpty();
  }

  @Test
  void thePageNeedsNothingElseAndFollowsTheScheme() {
    String page = Html.of(report(false));
    assertThat(page)
        .contains("prefers-color-scheme: dark")
        .contains("connection &lt;fixed&gt;")
        .contains("a remark with &lt;brackets&gt;")
        .contains("≤ 1.03")
        .contains("≤ 1.02")
        .contains(">met<")
        .contains("1.020 – 1.028")
        .doesNotContain("src=")
        .doesNotContain("<link")
        .doesNotContain("<script")
        .doesNotContain("quick run");
    assertThat(Html.of(report(true))).contains("quick run");
  }

  @Test
  void figuresOfAGroupAreATable() {
    List<Pivot> pivots = Pivot.of(report(false).results().rows());
    assertThat(pivots).hasSize(1);
    Pivot pivot = pivots.getFirst();
    assertThat(pivot.columns())
        .extracting(Pivot.Column::measure)
        .containsExactly("time", "processor time");
    assertThat(pivot.lines())
        .extracting(line -> line.subject().peer())
        .containsExactly(Peer.PATCHBAY, Peer.IPTABLES, Peer.NFTABLES);
    assertThat(pivot.lines().getLast().cells().getLast()).isEmpty();
  }

  @Test
  void markdownIsWellFormed() {
    String text = Markdown.tables(report(false));
    assertThat(text).contains("| D1 |").contains("| 41.5 us |").contains("met");
    text.lines()
        .filter(line -> line.startsWith("| Patchbay"))
        .forEach(line -> assertThat(line).endsWith("|"));
    assertThat(Markdown.headline(report(false)))
        .contains("| connection | 1.000 | 1.024 |  |  |")
        .contains("sudo make bench")
        .contains(", 2026-01-02.");
  }

  @Test
  void picturesAreXmlWithAllPointsInside()
      throws ParserConfigurationException, IOException, SAXException {
    DocumentBuilder builder = DocumentBuilderFactory.newDefaultInstance().newDocumentBuilder();
    for (Chart chart : report(false).results().charts()) {
      Document svg = builder.parse(new InputSource(new StringReader(Svg.file(chart))));
      for (String kind : List.of("circle", "rect")) {
        var elements = svg.getElementsByTagName(kind);
        for (int i = 0; i < elements.getLength(); i++) {
          var attributes = elements.item(i).getAttributes();
          String y = kind.equals("circle") ? "cy" : "y";
          assertThat(Double.parseDouble(attributes.getNamedItem(y).getNodeValue()))
              .as(kind)
              .isBetween(0.0, 380.0);
        }
      }
    }
    assertThat(Svg.file(report(false).results().charts().getFirst()))
        .contains("<style>")
        .doesNotContain("var(--")
        .contains("Cost &amp; size");
  }
}
