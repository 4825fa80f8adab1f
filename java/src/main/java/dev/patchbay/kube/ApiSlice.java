// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An EndpointSlice as the API has it, as far as it is needed. Filled by {@link SliceReader}. */
final class ApiSlice {
  final ApiMeta meta = new ApiMeta();
  String addressType = "";
  final List<Port> ports = new ArrayList<>(1);
  final List<Endpoint> endpoints = new ArrayList<>();

  /** {@code ports[]}. */
  static final class Port {
    @Nullable String name;
    String protocol = "TCP";
    @Nullable Integer port;
  }

  /** {@code endpoints[]}. */
  static final class Endpoint {
    String address = "";
    int addresses;
    @Nullable Boolean ready;
    @Nullable Boolean serving;
    @Nullable Boolean terminating;
    String nodeName = "";
    String target = "";
    List<String> forZones = List.of();
    List<String> forNodes = List.of();
  }
}
