// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.UserError;
import dev.patchbay.model.Cidr;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.NodePortAddresses;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What the agent has to be told about a cluster: options of {@code run}. */
final class ClusterOptions {
  @Option(
      names = "--api-servers",
      paramLabel = "URL[,URL]",
      description =
          "API servers, tried in turn; not the address of the Service kubernetes, which the agent"
              + " itself provides")
  @Nullable String apiServers;

  @Option(
      names = "--nodeport-addresses",
      paramLabel = "C[,C]",
      defaultValue = "all",
      description =
          "addresses of nodes on which node ports are served: ranges, and the keywords primary,"
              + " localhost and all (default: ${DEFAULT-VALUE})")
  String nodePortAddresses = "";

  @Option(
      names = "--localhost-nodeports",
      arity = "1",
      paramLabel = "true|false",
      defaultValue = "true",
      description =
          "serve node ports on 127.0.0.1 and ::1, if --nodeport-addresses has them (default:"
              + " ${DEFAULT-VALUE})")
  boolean localhostNodePorts;

  @Option(
      names = "--external-address-cidrs",
      paramLabel = "C[,C]",
      defaultValue = "any",
      description =
          "externalIPs and load balancer addresses of Services are served only in these ranges; any,"
              + " or none (default: ${DEFAULT-VALUE})")
  String externalAddressCidrs = "";

  /** The API servers in the order given, without a slash at their ends; empty if none is given. */
  List<URI> apiServers() throws UserError {
    List<URI> servers = new ArrayList<>();
    if (apiServers == null || apiServers.isEmpty()) {
      return servers;
    }
    for (String text : apiServers.split(",", -1)) {
      servers.add(server(text));
    }
    return List.copyOf(servers);
  }

  private static URI server(String text) throws UserError {
    UserError malformed =
        UserError.usage(
            "--api-servers " + text,
            "not the address of an API server",
            "write it like https://192.0.2.10:6443");
    try {
      URI uri = new URI(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
      boolean http = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme());
      boolean plain =
          uri.getRawQuery() == null && uri.getRawFragment() == null && uri.getRawUserInfo() == null;
      boolean root = uri.getRawPath().isEmpty();
      if (!http || uri.getHost() == null || uri.getPort() > 65535 || !plain || !root) {
        throw malformed;
      }
      return uri;
    } catch (URISyntaxException e) {
      throw malformed;
    }
  }

  /** Where external addresses of Services are served. */
  List<Cidr> externalRanges() throws UserError {
    return switch (externalAddressCidrs) {
      case "any" -> NodeFacts.ANYWHERE;
      case "none" -> List.of();
      default -> ranges(externalAddressCidrs);
    };
  }

  private static List<Cidr> ranges(String list) throws UserError {
    List<Cidr> ranges = new ArrayList<>();
    for (String text : list.split(",", -1)) {
      ranges.add(
          Cidr.parse(text)
              .orElseThrow(
                  () ->
                      UserError.usage(
                          "--external-address-cidrs " + list,
                          "\"" + text + "\" is not a range of addresses",
                          "write it like 192.0.2.0/24,2001:db8::/64, or any, or none")));
    }
    return ranges;
  }

  /** On which addresses of a node its node ports are served. */
  NodePortAddresses nodePortAddresses() throws UserError {
    List<String> elements =
        nodePortAddresses.isEmpty() ? List.of() : List.of(nodePortAddresses.split(",", -1));
    return switch (NodePortAddresses.parse(elements)) {
      case NodePortAddresses.Parsed.Good(NodePortAddresses addresses) ->
          localhostNodePorts ? addresses : addresses.withoutLoopback();
      case NodePortAddresses.Parsed.Bad bad ->
          throw UserError.usage(
              "--nodeport-addresses " + bad.text(), bad.reason(), "give a list without it");
    };
  }
}
