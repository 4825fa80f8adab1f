// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import java.util.List;

/**
 * All metrics: name, type, labels and meaning in one place, which the documentation is made of.
 * What is not here cannot be told.
 */
enum Metric {
  SYNC_DURATION(
      Type.HISTOGRAM,
      "kubeproxy_sync_proxy_rules_duration_seconds",
      "From taking changes to having them in the maps; one round serves both families",
      "ip_family"),
  SYNC_FULL_DURATION(
      Type.HISTOGRAM,
      "kubeproxy_sync_full_proxy_rules_duration_seconds",
      "The same for rounds that looked at all Services: at the start, and when what is known of the"
          + " node changed",
      "ip_family"),
  SYNC_PARTIAL_DURATION(
      Type.HISTOGRAM,
      "kubeproxy_sync_partial_proxy_rules_duration_seconds",
      "The same for all other rounds",
      "ip_family"),
  SYNC_LAST(
      Type.GAUGE,
      "kubeproxy_sync_proxy_rules_last_timestamp_seconds",
      "When the maps last became what is wanted; 0 before that",
      "ip_family"),
  SYNC_LAST_QUEUED(
      Type.GAUGE,
      "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds",
      "When a change was last told; 0 before that",
      "ip_family"),
  NETWORK_PROGRAMMING(
      Type.HISTOGRAM,
      "kubeproxy_network_programming_duration_seconds",
      "From the cause of a change of endpoints, as the annotation"
          + " endpoints.kubernetes.io/last-change-trigger-time has it, to the maps; clusters only",
      "ip_family"),
  ENDPOINT_CHANGES_PENDING(
      Type.GAUGE,
      "kubeproxy_sync_proxy_rules_endpoint_changes_pending",
      "Changes of endpoints that were told and are not in the maps yet"),
  ENDPOINT_CHANGES(
      Type.COUNTER,
      "kubeproxy_sync_proxy_rules_endpoint_changes_total",
      "Changes of endpoints that were told; those that change nothing for the proxy do not count"),
  SERVICE_CHANGES_PENDING(
      Type.GAUGE,
      "kubeproxy_sync_proxy_rules_service_changes_pending",
      "Changes of Services that were told and are not in the maps yet"),
  SERVICE_CHANGES(
      Type.COUNTER,
      "kubeproxy_sync_proxy_rules_service_changes_total",
      "Changes of Services that were told; those that change nothing for the proxy do not count"),
  NO_LOCAL_ENDPOINTS(
      Type.GAUGE,
      "kubeproxy_sync_proxy_rules_no_local_endpoints_total",
      "Service ports that have endpoints, but none that their policy Local allows on this node",
      "traffic_policy",
      "ip_family"),
  PROXY_HEALTHZ(
      Type.COUNTER,
      "kubeproxy_proxy_healthz_total",
      "Answers of /healthz at --healthz-bind-address",
      "code"),
  PROXY_LIVEZ(
      Type.COUNTER,
      "kubeproxy_proxy_livez_total",
      "Answers of /livez at --healthz-bind-address",
      "code"),
  CONNTRACK_DELETED(
      Type.COUNTER,
      "kubeproxy_conntrack_reconciler_deleted_entries_total",
      "Always 0: connections of this node to Services are not tracked",
      "ip_family"),
  CONNTRACK_DURATION(
      Type.HISTOGRAM,
      "kubeproxy_conntrack_reconciler_sync_duration_seconds",
      "Always empty: connections of this node to Services are not tracked",
      "ip_family"),
  KUBERNETES_BUILD_INFO(
      Type.GAUGE,
      "kubernetes_build_info",
      "Always 1; the labels tell the version of the agent, not of the cluster",
      "major",
      "minor",
      "git_version",
      "git_commit",
      "git_tree_state",
      "build_date",
      "go_version",
      "compiler",
      "platform"),
  REST_CLIENT_REQUESTS(
      Type.COUNTER,
      "rest_client_requests_total",
      "Requests to the API server; clusters only",
      "code",
      "method",
      "host"),
  REST_CLIENT_DURATION(
      Type.HISTOGRAM,
      "rest_client_request_duration_seconds",
      "How long answers of the API server took, watches left out; clusters only",
      "verb",
      "host"),
  PROCESS_CPU(
      Type.COUNTER, "process_cpu_seconds_total", "Processor time of the agent, user and system"),
  PROCESS_OPEN_FDS(Type.GAUGE, "process_open_fds", "File descriptors that the agent has open"),
  PROCESS_MAX_FDS(
      Type.GAUGE, "process_max_fds", "How many file descriptors the agent may have open"),
  PROCESS_RESIDENT(
      Type.GAUGE, "process_resident_memory_bytes", "Memory of the agent that is in RAM"),
  PROCESS_VIRTUAL(Type.GAUGE, "process_virtual_memory_bytes", "Address space of the agent"),
  PROCESS_START(
      Type.GAUGE, "process_start_time_seconds", "When the agent was started, since the epoch"),

  HEALTHCHECK(
      Type.GAUGE,
      "kubernetes_healthcheck",
      "1 if the check passed when it was last made, else 0; at /metrics/slis only",
      "name",
      "type"),
  HEALTHCHECKS(
      Type.COUNTER,
      "kubernetes_healthchecks_total",
      "How often a check was made, by its result; at /metrics/slis only",
      "name",
      "type",
      "status"),

  BUILD_INFO(
      Type.GAUGE,
      "patchbay_build_info",
      "Always 1; the labels tell the versions of the agent and of its JVM",
      "version",
      "java_version"),
  CONNECTIONS(
      Type.COUNTER,
      "patchbay_connections_total",
      "Sockets that were connected to an endpoint in place of a Service, the agent's own checks of"
          + " health included",
      "protocol"),
  DATAGRAMS(
      Type.COUNTER,
      "patchbay_datagrams_total",
      "Datagrams of UDP sockets that are not connected: sent to an endpoint in place of a Service,"
          + " or received from one and shown as the Service's",
      "direction"),
  REFUSALS(
      Type.COUNTER,
      "patchbay_refusals_total",
      "Connects and sends to Services that were refused: no_endpoint: the Service has none; policy:"
          + " it has some, its policy Local allows none; unknown_port: it has no such port",
      "reason"),
  BIND_REFUSALS(
      Type.COUNTER,
      "patchbay_bind_refusals_total",
      "Listeners in the node's own network namespace that were refused a port, because it is a node"
          + " port"),
  AFFINITY_HITS(
      Type.COUNTER,
      "patchbay_affinity_hits_total",
      "Choices of an endpoint that session affinity decided"),
  SOCKET_STATE_FAILURES(
      Type.COUNTER,
      "patchbay_socket_state_failures_total",
      "Sockets about which nothing could be stored, so that they see the address of the endpoint"),
  CORRUPT(
      Type.COUNTER,
      "patchbay_corrupt_entries_total",
      "Entries of maps that the programs met and that lead nowhere"),
  EVENTS_LOST(
      Type.COUNTER,
      "patchbay_events_lost_total",
      "Reports of the programs for which the ring buffer had no room"),
  STATISTICS_FAILURES(
      Type.COUNTER,
      "patchbay_statistics_failures_total",
      "Connections that are missing from what is told of each Service or endpoint, because a map"
          + " was full"),
  SERVICE_CONNECTIONS(
      Type.COUNTER,
      "patchbay_service_connections_total",
      "Sockets that were connected to an endpoint in place of this Service",
      "namespace",
      "service",
      "port",
      "protocol"),
  SERVICE_ACTIVE(
      Type.GAUGE,
      "patchbay_service_active_connections",
      "Those of them that are neither closed nor connected to something else",
      "namespace",
      "service",
      "port",
      "protocol"),
  SERVICE_FAILURES(
      Type.COUNTER,
      "patchbay_service_connection_failures_total",
      "TCP connections that were closed and never established",
      "namespace",
      "service",
      "port",
      "protocol"),
  SERVICE_CONNECT_DURATION(
      Type.HISTOGRAM,
      "patchbay_service_connect_duration_seconds",
      "From connect() to an established TCP connection; with --connect-duration-metrics, and while"
          + " somebody watches",
      "namespace",
      "service",
      "port",
      "protocol"),
  SERVICE_DATAGRAMS(
      Type.COUNTER,
      "patchbay_service_datagrams_total",
      "Datagrams of UDP sockets that are not connected, sent to an endpoint in place of this"
          + " Service",
      "namespace",
      "service",
      "port",
      "protocol"),
  SERVICE_REFUSALS(
      Type.COUNTER,
      "patchbay_service_refusals_total",
      "Connects and sends to this Service that were refused, for the reasons of"
          + " patchbay_refusals_total",
      "namespace",
      "service",
      "port",
      "protocol",
      "reason"),
  BACKEND_CONNECTIONS(
      Type.COUNTER,
      "patchbay_backend_connections_total",
      "Sockets that were connected to this endpoint; for Services with the annotation"
          + " patchbay.dev/backend-metrics",
      "namespace",
      "service",
      "port",
      "protocol",
      "backend"),
  BACKEND_ACTIVE(
      Type.GAUGE,
      "patchbay_backend_active_connections",
      "Those of them that are neither closed nor connected to something else",
      "namespace",
      "service",
      "port",
      "protocol",
      "backend"),
  BACKEND_FAILURES(
      Type.COUNTER,
      "patchbay_backend_connection_failures_total",
      "TCP connections that were closed and never established",
      "namespace",
      "service",
      "port",
      "protocol",
      "backend"),
  BACKEND_DATAGRAMS(
      Type.COUNTER,
      "patchbay_backend_datagrams_total",
      "Datagrams of UDP sockets that are not connected, for which this endpoint was chosen anew",
      "namespace",
      "service",
      "port",
      "protocol",
      "backend"),
  MAP_ENTRIES(Type.GAUGE, "patchbay_map_entries", "Entries of a map that are in use", "map"),
  MAP_CAPACITY(
      Type.GAUGE,
      "patchbay_map_capacity",
      "Entries that a map can hold; those that evict the oldest are full all the time, where there"
          + " is traffic",
      "map"),
  COMPILE_DURATION(
      Type.HISTOGRAM,
      "patchbay_compile_duration_seconds",
      "How long it took to turn changes into rows of the maps"),
  APPLY_DURATION(
      Type.HISTOGRAM,
      "patchbay_apply_duration_seconds",
      "How long it took to write the rows that differ"),
  APPLY_FAILURES(
      Type.COUNTER,
      "patchbay_apply_failures_total",
      "Rounds in which the kernel refused a write; they are repeated until they succeed"),
  PROBLEMS(
      Type.GAUGE, "patchbay_problems", "What is wrong with the input now, by severity", "severity"),
  REJECTIONS(
      Type.GAUGE,
      "patchbay_rejections",
      "What is not served now although a Service asks for it, by kind",
      "kind"),
  REFUSED_SERVICE_PORTS(
      Type.GAUGE,
      "patchbay_refused_service_ports",
      "Service ports that do not fit now, by the limit that they meet",
      "limit"),
  SOURCE_CONNECTED(
      Type.GAUGE,
      "patchbay_source_connected",
      "1 if the source of Services can be read, 0 if what it said last is served until it can"),
  SOURCE_OBJECTS(
      Type.GAUGE, "patchbay_source_objects", "Objects that are known; clusters only", "resource"),
  SOURCE_LISTS(
      Type.COUNTER,
      "patchbay_source_lists_total",
      "Complete lists that were read: the first one, and one whenever a watch could not go on;"
          + " clusters only",
      "resource"),
  SOURCE_WATCHES(
      Type.COUNTER,
      "patchbay_source_watches_total",
      "Watches that were begun; clusters only",
      "resource"),
  SOURCE_EVENTS(
      Type.COUNTER,
      "patchbay_source_events_total",
      "Changes that watches told; clusters only",
      "resource"),
  STALE_SOCKETS_DESTROYED(
      Type.COUNTER,
      "patchbay_stale_sockets_destroyed_total",
      "Sockets that were destroyed because their endpoint is gone",
      "protocol"),
  STALE_SOCKETS_LEFT(
      Type.COUNTER,
      "patchbay_stale_sockets_left_total",
      "Sockets that had to be left although their endpoint is gone; again with each attempt"),
  STALE_SOCKET_SCANS(
      Type.COUNTER,
      "patchbay_stale_socket_scans_total",
      "How often all translated sockets were looked at"),
  STALE_SOCKET_SECONDS(
      Type.COUNTER, "patchbay_stale_socket_scan_seconds_total", "How long that took"),
  HEALTH_FAILING(
      Type.GAUGE,
      "patchbay_health_check_failing",
      "1 while the check fails, or has only just been mended; see /healthz",
      "check"),
  HEALTH_INCIDENTS(
      Type.COUNTER, "patchbay_health_incidents_total", "How often a check began to fail", "check"),
  HEALTH_REPAIRS(
      Type.COUNTER,
      "patchbay_repairs_total",
      "How often what a check found amiss was put right",
      "check"),
  DRIFT_FOUND(
      Type.COUNTER,
      "patchbay_drift_found_total",
      "Rows of the maps that were found to differ from what was written to them",
      "kind"),
  DRIFT_REPAIRED(
      Type.COUNTER, "patchbay_drift_repaired_total", "Those of them that were put right"),
  AUDITS(
      Type.COUNTER,
      "patchbay_audits_total",
      "Complete comparisons of the maps with what was written to them"),
  AUDIT_SECONDS(
      Type.COUNTER,
      "patchbay_audit_seconds_total",
      "Time that they took of the thread that writes"),
  CANARY_RUNS(
      Type.COUNTER,
      "patchbay_canary_runs_total",
      "Connects and datagrams of the agent to its reserved addresses"),
  CANARY_FAILURES(
      Type.COUNTER, "patchbay_canary_failures_total", "Those of them that did not come back"),
  CANARY_SECONDS(
      Type.COUNTER, "patchbay_canary_seconds_total", "Time that those took that did come back");

  /** The types that occur. */
  enum Type {
    COUNTER,
    GAUGE,
    HISTOGRAM
  }

  private final Type type;
  private final String text;
  private final String help;

  @SuppressWarnings("ImmutableEnumChecker") // it is of the kind that cannot be changed
  private final List<String> labels;

  Metric(Type type, String text, String help, String... labels) {
    this.type = type;
    this.text = text;
    this.help = help;
    this.labels = List.of(labels);
  }

  Type type() {
    return type;
  }

  /** Its name as Prometheus shows it. */
  String text() {
    return text;
  }

  /** One sentence without a full stop. */
  String help() {
    return help;
  }

  /** Names of its labels. */
  List<String> labels() {
    return labels;
  }
}
