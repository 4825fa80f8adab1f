// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.UserError;
import dev.patchbay.agent.log.Log;
import dev.patchbay.agent.log.LogFormat;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command line: one subcommand per verb. */
@Command(
    name = "patchbay",
    description = "A Kubernetes Service dataplane: connect-time load balancing in the kernel.",
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Exit codes: 0 done, 1 failed, 2 wrong usage."})
public final class PatchbayCommand implements Runnable {
  /** In the order of the help. */
  private static final List<Subcommand> SUBCOMMANDS =
      List.of(
          new Subcommand("run", RunCommand::new),
          new Subcommand("check", CheckCommand::new),
          new Subcommand("validate", ValidateCommand::new),
          new Subcommand("services", ServicesCommand::new),
          new Subcommand("explain", ExplainCommand::new),
          new Subcommand("watch", WatchCommand::new),
          new Subcommand("status", StatusCommand::new),
          new Subcommand("env", EnvCommand::new),
          new Subcommand("schema", SchemaCommand::new),
          new Subcommand("cleanup", CleanupCommand::new),
          new Subcommand("version", VersionCommand::new),
          new Subcommand("train", TrainCommand::new));

  private record Subcommand(String name, Supplier<Object> maker) {}

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "show this help and exit")
  boolean help;

  @Spec CommandSpec spec = CommandSpec.create();

  private final Supplier<Terminal> terminal;

  /** For output that goes to no terminal. */
  private PatchbayCommand() {
    this(() -> Terminal.NONE);
  }

  private PatchbayCommand(Supplier<Terminal> terminal) {
    this.terminal = terminal;
  }

  /** What the output of a command goes to. */
  static Terminal terminal(CommandSpec command) {
    return command.root().userObject() instanceof PatchbayCommand root
        ? root.terminal.get()
        : Terminal.NONE;
  }

  /** Without a subcommand: the help, and exit code 2. */
  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "a command is missing");
  }

  /**
   * Runs the command line of this process.
   *
   * @param out writes to standard output
   * @param err writes to standard error
   * @return the exit code: 0 done, 1 failed, 2 wrong usage
   */
  public static int main(PrintWriter out, PrintWriter err, String... args) {
    Supplier<Terminal> terminal = () -> Terminal.ofStandardOutput(System.getenv());
    return execute(new PatchbayCommand(terminal), out, err, args);
  }

  /** Runs a command line whose output goes to no terminal. */
  static int execute(PrintWriter out, PrintWriter err, String... args) {
    return execute(new PatchbayCommand(), out, err, args);
  }

  private static int execute(
      PatchbayCommand command, PrintWriter out, PrintWriter err, String... args) {
    CommandLine line = commandLine(command, args);
    line.setOut(out);
    line.setErr(err);
    line.setExecutionExceptionHandler(PatchbayCommand::failed);
    line.setParameterExceptionHandler(PatchbayCommand::misused);
    try {
      useConfigFile(line, args);
    } catch (UserError e) {
      err.println("patchbay: " + e.getMessage());
      err.flush();
      return 1;
    }
    return line.execute(args);
  }

  /**
   * What reads {@code args}. If they begin with a subcommand, it knows no other: to find out what
   * options all of them have takes longer than to do what most of them do.
   */
  public static CommandLine commandLine(String... args) {
    return commandLine(new PatchbayCommand(), args);
  }

  private static CommandLine commandLine(PatchbayCommand command, String... args) {
    CommandLine line = new CommandLine(command);
    List<Subcommand> named =
        SUBCOMMANDS.stream().filter(sub -> args.length > 0 && sub.name.equals(args[0])).toList();
    for (Subcommand sub : named.isEmpty() ? SUBCOMMANDS : named) {
      line.addSubcommand(sub.name, sub.maker.get());
    }
    line.setCaseInsensitiveEnumValuesAllowed(true);
    return line;
  }

  /**
   * The command of a command line that begins with {@code run}, which is not run.
   *
   * @throws UserError if the command line, or the file that it names, cannot be used
   */
  static RunCommand parseRun(String... args) throws UserError {
    CommandLine line = commandLine(args);
    useConfigFile(line, args);
    try {
      ParseResult result = line.parseArgs(args).subcommand();
      if (result != null && result.commandSpec().userObject() instanceof RunCommand run) {
        return run;
      }
      throw new IllegalArgumentException("no command line of run: " + List.of(args));
    } catch (CommandLine.ParameterException e) {
      throw UserError.usage("cannot use the settings", e.getMessage(), "");
    }
  }

  /** Lets the file behind {@code run --config}, if there is one, supply defaults. */
  private static void useConfigFile(CommandLine line, String[] args) throws UserError {
    CommandLine run = line.getSubcommands().get("run");
    if (args.length == 0 || !args[0].equals("run") || run == null) {
      return;
    }
    String file = null;
    for (int i = 1; i < args.length; i++) {
      if (args[i].equals("--config") && i + 1 < args.length) {
        file = args[i + 1];
      } else if (args[i].startsWith("--config=")) {
        file = args[i].substring("--config=".length());
      }
    }
    if (file != null) {
      ConfigFile config = ConfigFile.read(Path.of(file), run.getCommandSpec());
      run.setDefaultValueProvider(config);
      if (run.getCommand() instanceof RunCommand command) {
        command.warnings = config.warnings();
      }
    }
  }

  private static int failed(Exception e, CommandLine line, @Nullable ParseResult result) {
    PrintWriter err = line.getErr();
    int code = 1;
    switch (e) {
      case UserError error -> {
        err.println(said(Level.ERROR, String.valueOf(error.getMessage())));
        code = error.exitCode();
      }
      case InterruptedException _ -> err.println("patchbay: interrupted");
      default -> {
        err.println("patchbay: internal error: " + e + "; this is a defect, please report it");
        e.printStackTrace(err);
      }
    }
    err.flush();
    return code;
  }

  /** A message for standard error: a line of the log, if that is read by programs. */
  static String said(Level level, String message) {
    return Log.format() == LogFormat.json
        ? Log.line(level, PatchbayCommand.class.getName(), message, Map.of())
        : "patchbay: " + message;
  }

  private static int misused(CommandLine.ParameterException e, String[] args) {
    CommandLine line = e.getCommandLine();
    PrintWriter err = line.getErr();
    err.println("patchbay: " + e.getMessage());
    err.println("usage: see `" + line.getCommandSpec().qualifiedName() + " --help`");
    err.flush();
    return 2;
  }
}
