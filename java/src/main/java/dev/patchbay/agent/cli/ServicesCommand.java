// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.UserError;
import dev.patchbay.agent.cli.Terminal.Style;
import dev.patchbay.agent.cli.TextTable.Cell;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.table.Backend;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(name = "services", description = "What is in the kernel now.", sortOptions = false)
final class ServicesCommand implements Callable<Integer> {
  /** The forms of output. */
  enum Form {
    table,
    wide,
    json,
    yaml
  }

  private static final int SHOWN_IN_TABLE = 3;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORM",
      defaultValue = "table",
      description = "one of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
  Form form = Form.table;

  @Mixin PathOptions paths = new PathOptions();
  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws UserError {
    PrintWriter out = spec.commandLine().getOut();
    try (Reading reading = Reading.open(paths)) {
      DataplaneView view = reading.view();
      switch (form) {
        case table -> out.print(table(view, reading, PatchbayCommand.terminal(spec)));
        case wide -> out.print(wide(view, reading, PatchbayCommand.terminal(spec)));
        case json -> out.print(Tree.json(tree(view, reading)));
        case yaml -> out.print(Tree.yaml(tree(view, reading)));
      }
    }
    out.flush();
    return 0;
  }

  private static String table(DataplaneView view, Reading reading, Terminal terminal) {
    TextTable table = new TextTable("NAMESPACE", "NAME", "TYPE", "FRONTEND", "BACKENDS");
    for (DataplaneView.Row row : view.rows()) {
      table.row(
          Cell.of(namespace(row)),
          Cell.of(name(row)),
          Cell.of(type(row)),
          Cell.of(row.frontend().toString()),
          backends(row, shorten(row.backends())));
    }
    return table.render("", terminal) + footer(view, reading, terminal);
  }

  private static String wide(DataplaneView view, Reading reading, Terminal terminal) {
    TextTable table =
        new TextTable(
            "NAMESPACE",
            "NAME",
            "TYPE",
            "FRONTEND",
            "PORT",
            "POLICY",
            "AFFINITY",
            "INDEX",
            "BACKENDS");
    for (DataplaneView.Row row : view.rows()) {
      ServicePort port = row.port();
      int affinity = row.settings().affinitySeconds();
      table.row(
          Cell.of(namespace(row)),
          Cell.of(name(row)),
          Cell.of(type(row)),
          Cell.of(row.frontend().toString()),
          Cell.of(port == null || port.name().isEmpty() ? "-" : port.name()),
          Cell.of(row.key() == null ? "?" : row.key().policy().toString()),
          Cell.of(affinity == 0 ? "-" : "ClientIP " + affinity + "s"),
          Cell.of(Integer.toString(row.index())),
          backends(row, join(row.backends())));
    }
    return table.render("", terminal) + footer(view, reading, terminal);
  }

  private static Cell backends(DataplaneView.Row row, String text) {
    return new Cell(text, row.backends().isEmpty() ? Style.WARNING : Style.PLAIN);
  }

  private static String footer(DataplaneView view, Reading reading, Terminal terminal) {
    return "\n"
        + terminal.paragraph(
            (view.rows().isEmpty()
                    ? "No Service is programmed. "
                    : "Frontends and backends as in the kernel. ")
                + reading.snapshotAge()
                + ".");
  }

  private static String namespace(DataplaneView.Row row) {
    return row.key() == null ? "?" : row.key().service().namespace();
  }

  private static String name(DataplaneView.Row row) {
    return row.key() == null ? "?" : row.key().service().name();
  }

  private static String type(DataplaneView.Row row) {
    Service service = row.service();
    return service == null ? "?" : service.type().toString();
  }

  private static String shorten(List<Backend> backends) {
    return backends.size() <= SHOWN_IN_TABLE + 1
        ? join(backends)
        : join(backends.subList(0, SHOWN_IN_TABLE))
            + " + "
            + (backends.size() - SHOWN_IN_TABLE)
            + " more";
  }

  private static String join(List<Backend> backends) {
    return backends.isEmpty()
        ? "<none>"
        : backends.stream().map(Backend::toString).collect(Collectors.joining(","));
  }

  private static Map<String, Object> tree(DataplaneView view, Reading reading) {
    List<Object> services = new ArrayList<>();
    for (DataplaneView.Row row : view.rows()) {
      Map<String, Object> service = new LinkedHashMap<>();
      if (row.key() != null) {
        service.put("namespace", row.key().service().namespace());
        service.put("name", row.key().service().name());
        service.put("type", type(row));
        service.put("portName", row.key().port());
        service.put("trafficPolicy", row.key().policy().toString());
      }
      service.put("frontend", frontend(row));
      service.put("backends", backends(row.backends()));
      service.put("sessionAffinitySeconds", row.settings().affinitySeconds());
      service.put("index", row.index());
      services.add(service);
    }
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("services", services);
    reading.describeSnapshot(tree);
    return tree;
  }

  private static Map<String, Object> frontend(DataplaneView.Row row) {
    Map<String, Object> frontend = new LinkedHashMap<>();
    frontend.put("address", row.frontend().address().toString());
    frontend.put("port", row.frontend().port());
    frontend.put("protocol", String.valueOf(row.frontend().protocol()));
    frontend.put("family", row.frontend().address().family().toString());
    return frontend;
  }

  /** {@code 1 endpoint}, {@code 2 endpoints}. */
  static String plural(int count, String noun) {
    return count + " " + noun + (count == 1 ? "" : "s");
  }

  static List<Object> backends(List<Backend> backends) {
    List<Object> list = new ArrayList<>();
    for (Backend backend : backends) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("address", backend.address().toString());
      entry.put("port", backend.port());
      list.add(entry);
    }
    return list;
  }
}
